/* tree.h - how much of the disk a folder takes, as du(1) counts it. Trees that containers wrote are
 * hostile: any names, and any depth, of which the part below TREE_DEPTH_MAX is not looked at. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { TREE_DEPTH_MAX = 512 };

/* Files with several links that were counted already: each counts once, whichever of the trees
 * that are measured together it is met in. Zeroed to begin with. */
struct tree_seen {
	struct tree_inode {
		dev_t device;
		ino_t inode; /* 0: a free place */
	} * items;
	size_t capacity; /* a power of two */
	size_t count;
};
void tree_seen_clear(struct tree_seen *seen);

/* Bytes of the disk (st_blocks) of the folder and all below it, added to *sum. folder_fd stays the
 * caller's. Crosses no mount. ERR_CORRUPT for a tree that is too deep. */
int storage_tree_add(struct tree_seen *seen, int folder_fd, uint64_t *sum, struct err *e);

/* The same for the folder, or the file, of this name below dir_fd. One that is not there is 0. */
int storage_tree_add_at(struct tree_seen *seen, int dir_fd, const char *name, uint64_t *sum,
			struct err *e);

/* Of one tree. */
int storage_tree_size(int folder_fd, uint64_t *ret, struct err *e);
