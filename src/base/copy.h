/* copy.h - copies a tree of files, by descriptors alone and following no link, as fd_remove_tree_at
 * removes one: both trees may be changed by others meanwhile, who gain nothing by it. Kept are
 * modes, times, hard links, holes, symbolic links, fifos, devices and extended attributes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct stat;

enum copy_owners {
	COPY_OWNERS_KEEP,   /* as they are, by map */
	COPY_OWNERS_CALLER, /* it is the caller's: set-id bits and file capabilities, which
			     * were given by another, do not come along */
};

struct copy_options {
	enum copy_owners owners;
	/* changes the ids of each file; NULL: they stay */
	void (*map)(const void *context, uid_t *uid, gid_t *gid);
	const void *context;
	bool merge;          /* folders that are there are filled, other things replaced; else
			      * what is there already is an error */
	bool one_filesystem; /* where something is mounted there is an empty folder */
	bool no_kernel;      /* the same for what shows the kernel, see fd_is_of_kernel() */
	bool all_attributes; /* of the extended ones all but overlayfs's; else user.* and
			      * security.capability */
	bool sockets;        /* are made, too; else left out */
	bool opaque;         /* overlayfs's mark of a folder that hides those below it is kept: what
			      * is copied is an upper folder, and becomes one or a layer */
	bool settle;         /* a file's own writes reach the disk before it is copied, so that
			      * later ones through a mapping change its times */
	const char *redirect; /* of copy_tree_at(): a regular file of one name and some size has no
			      * bytes: overlayfs's "user." marks say that those are in this folder
			      * ("", "/usr/bin") of another layer (overlayfs(5), "Data-only lower
			      * layers"); NULL: it has them */
	uint64_t *bytes;      /* counts those of files; may be NULL */
	/* called for each thing that has been copied; may be NULL */
	void (*done)(void *context, const struct stat *from, int to_dir, const char *to);
	void *done_context;
};

/* Each level holds two descriptors, and RLIMIT_NOFILE is 1024 by default. */
enum { COPY_DEPTH_MAX = 400 };

/* Makes of the thing from in from_dir the thing to in to_dir. Errors name the path below from. What
 * cannot be made here (devices without CAP_MKNOD) is left out. A file that is not complete is
 * removed again, what was complete stays. */
int copy_tree_at(int from_dir, const char *from, int to_dir, const char *to,
		 const struct copy_options *options, struct err *e);

/* The same for what is in the folder from_fd (O_PATH will do), into the folder to_fd. With
 * attributes to_fd gets those of from_fd. */
int copy_tree_contents(int from_fd, int to_fd, bool attributes, const struct copy_options *options,
		       struct err *e);

/* Owner, mode, times and attributes of the folder from_fd for to_fd, both readable. */
int copy_attributes_of(int from_fd, int to_fd, const struct copy_options *options, struct err *e);
