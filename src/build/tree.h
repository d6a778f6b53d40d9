/* tree.h - what COPY takes: the files below a place in a context or in another stage, as a list in
 * the order of their names, each with its digest. Trees are hostile: they are walked by descriptors
 * (rule R1), no link is followed, and what changes while it is read is noticed when it is copied
 * (copy.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shape.h"
#include "storage/hash.h"

struct build_ignore;
struct err;
struct store;

enum {
	BUILD_TREE_ENTRIES_MAX = 4 << 20,
	BUILD_TREE_DEPTH_MAX = 256, /* a folder each level holds a descriptor */
};

struct build_entry {
	char *path; /* below the place; "": the place itself */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int64_t size;
	char *target;                            /* of a symbolic link */
	unsigned char digest[STORAGE_HASH_SIZE]; /* of a file's bytes and attributes */
};

struct build_tree {
	SHAPE_LIST_OF(struct build_entry) items;
};

struct build_tree_options {
	const struct build_ignore *ignore;  /* NULL: nothing is */
	const struct build_ignore *exclude; /* of the instruction */
	const struct store *cache;          /* knows files from before; NULL: not these */
	int stop_fd;                        /* stop.h; 0 or -1: none */
	bool owners;                        /* ids are those of the files, else 0 */
};

/* Adds what is at path below root_fd: the thing itself and, of a folder, all in it. A link at path
 * is followed below root_fd, others are what they are. Sockets are left out. ERR_NOT_FOUND also
 * for what is ignored. */
int build_tree_read(struct build_tree *ret, int root_fd, const char *path,
		    const struct build_tree_options *options, struct err *e);
void build_tree_clear(struct build_tree *tree);

/* Names, types, modes, owners, targets and bytes: all that the result hangs on. */
void build_tree_sum(unsigned char ret[STORAGE_HASH_SIZE], const struct build_tree *tree);

/* The bytes and attributes of an open file; also written to to_fd (-1: nowhere). */
int build_tree_file_digest(unsigned char ret[STORAGE_HASH_SIZE], int fd, int to_fd, struct err *e);
