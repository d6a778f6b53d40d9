/* unpack_disk.h - the disk side of unpacking: makes one thing after the other below a folder's
 * descriptor, never following a link out of it (rule R1, base/path.h), and keeps the folder of
 * the last entry open, because the next is mostly in the same. For unpack.c alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct err;
struct unpack_disk;

struct unpack_xattr {
	const char *name;
	const void *value;
	size_t size;
};

/* One entry; all pointers are borrowed. */
struct unpack_node {
	const char *path; /* clean and relative; "" is the root */
	mode_t type;      /* S_IFREG... */
	mode_t mode;      /* 07777 */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	dev_t device;
	const char *target; /* of a symbolic link */
	struct unpack_xattr *xattrs;
	size_t xattrs_count;
};

/* root_fd stays the caller's. merge: a folder that is there is no earlier entry of the archive, and
 * is never replaced, nor is something else replaced by a folder. */
struct unpack_disk *unpack_disk_new(int root_fd, bool merge);
void unpack_disk_free(struct unpack_disk *disk);

/* So many have not the owner they should, for there is one id alone (base/user_ids.h). */
uint64_t unpack_disk_unowned(const struct unpack_disk *disk);

/* A regular file, open for writing; what was there before is replaced. */
int unpack_disk_create(struct unpack_disk *disk, const struct unpack_node *node, struct err *e);
int unpack_disk_write(struct unpack_disk *disk, int fd, const void *bytes, size_t length,
		      int64_t offset, struct err *e);
/* Owner, mode, attributes, times: after the data, because writing clears setuid. */
int unpack_disk_finish(struct unpack_disk *disk, int fd, const struct unpack_node *node,
		       struct err *e);

/* Takes back the file, which is not complete. */
void unpack_disk_drop(struct unpack_disk *disk, const struct unpack_node *node);

int unpack_disk_folder(struct unpack_disk *disk, const struct unpack_node *node, struct err *e);
int unpack_disk_symlink(struct unpack_disk *disk, const struct unpack_node *node, struct err *e);
int unpack_disk_special(struct unpack_disk *disk, const struct unpack_node *node, struct err *e);
int unpack_disk_link(struct unpack_disk *disk, const struct unpack_node *node, const char *target,
		     struct err *e);

/* path hides what lower layers have there; the folder at path hides all of theirs. */
int unpack_disk_whiteout(struct unpack_disk *disk, const char *path, struct err *e);
int unpack_disk_opaque(struct unpack_disk *disk, const char *path, struct err *e);

/* Sets the folders' times, which their contents changed. */
int unpack_disk_end(struct unpack_disk *disk, struct err *e);
