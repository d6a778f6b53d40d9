/* path.h - the one module that walks paths in trees which may be hostile (rule R1): a rootfs, a
 * volume, a build context. Everything is opened below a descriptor by
 * openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), Linux 5.6: symbolic links and ".." in the
 * path stay below the root, as they would after chroot(2). */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;

/* openat2 below root_fd; flags as open(2), O_CLOEXEC is added. Returns a descriptor. */
int path_open(int root_fd, const char *path, int flags, mode_t mode, struct err *e);

/* The same, returning -errno and no sentence: for probing. */
int path_try_open(int root_fd, const char *path, int flags, mode_t mode);

/* And this fails with -ELOOP where any part of path is a link. */
int path_try_open_unlinked(int root_fd, const char *path, int flags);

/* Makes path and every missing folder above it below root_fd, with this mode and the ids of the
 * caller, following links as path_open does, also those that lead nowhere yet; returns an O_PATH
 * descriptor of the last folder. */
int path_make_dirs(int root_fd, const char *path, mode_t mode, struct err *e);

/* Opens the folder that holds the last part of path, and points *last into path at that part.
 * For unlinkat, mknodat, symlinkat... which do not follow the last part. path must not end
 * in "/", "." or "..". With make, missing folders are made (0755). */
int path_open_parent(int root_fd, const char *path, bool make, const char **last, struct err *e);

/* An O_PATH descriptor of path, which is created as an empty file if absent (folders above it
 * too, and what a link that leads nowhere names): the target of a bind mount of a file. */
int path_make_file(int root_fd, const char *path, mode_t mode, struct err *e);

/* Is something mounted at this name of a folder? Who removes the name in another mount namespace
 * takes the mount away, and learns nothing of it (unlink(2) says EBUSY in one's own alone). */
bool path_is_mount(int dir_fd, const char *name);

/* "a/b" from "a" and "b" with exactly one slash between; the caller frees. */
char *path_join(const char *a, const char *b);

/* Lexically: "//a/./b/../c/" is "/a/c"; ".." never leaves "/". For names that people type and
 * for comparing mount targets, never for security. The caller frees. */
char *path_clean(const char *path);

/* One name of a folder: not "", ".", "..", no slash, at most 255 bytes. */
bool path_is_name(const char *name);
