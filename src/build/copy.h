/* copy.h - writes what tree.h has read into the tree of a stage. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct build_tree;
struct err;

struct build_copy_options {
	int from_fd;      /* the root that the tree was read of */
	const char *from; /* the place in it */
	int to_fd;        /* the root of the stage */
	const char *to;   /* absolute: of a folder its contents go in there, else the file's name */
	bool owned;       /* by uid and gid; else as the tree says */
	uid_t uid;
	gid_t gid;
	int stop_fd;      /* stop.h; 0 or -1: none */
	const char *mode; /* --chmod, checked by build_copy_mode(); NULL: as it is */
};

/* Folders that are there stay what they are, other things are replaced. ERR_STATE: a file is
 * another than when it was read. */
int build_copy(const struct build_tree *tree, const struct build_copy_options *options,
	       struct err *e);

/* --chmod: octal, or "u=rwX,go-w" as chmod(1) has it. The mode it makes of one. ERR_INVALID. */
int build_copy_mode(mode_t *ret, const char *text, mode_t from, struct err *e);
