/* rename.h - renames that replace nothing, and exchanges: renameat2(2), and what takes its place
 * where a filesystem takes no flags (NFS, and most of FUSE: sshfs, bindfs) and says EINVAL. */
#pragma once

struct err;

/* Gives from the name to, unless there is one: -EEXIST. Returns 0 or -errno. Where there are no
 * flags a file gets the new name before it loses the old one, so that both may be there after a
 * kill; a folder may take the place of an empty one that is made at the same time. */
int rename_new_at(int from_dir, const char *from, int to_dir, const char *to);

/* Both change places in one step; nothing else does that, so it is an error where there are no
 * flags. Returns 0, or -errno with e filled. */
int rename_exchange_at(int from_dir, const char *from, int to_dir, const char *to, struct err *e);
