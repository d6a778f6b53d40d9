/* copy_update.h - a copy of a tree in two passes: the first while others write to it, and takes as
 * long as it takes; the second, while they stand still, copies again what changed since, removes
 * what went, and has little to do. Works by the change time of inodes, which every write sets: also
 * one through a mapping, if the file was written back (settle in copy.h) before it was copied. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/copy.h"

struct err;

struct copy_update {
	struct copy_options options; /* of both passes */
	int64_t began_ns;            /* when the first began; what changed later is copied again */
	int64_t offset_ns;           /* of the clock then: did somebody set it meanwhile? */
	struct copy_pair_of_inodes { /* which file a copy was made of */
		uint64_t copy;       /* 0: a free place */
		uint64_t original;
	} * pairs;
	size_t capacity; /* a power of two */
	size_t count;
};
void copy_update_clear(struct copy_update *update);

/* Is it of use here? Not on a tmpfs, whose files say nothing of writes through mappings. */
bool copy_update_works(int from_fd);

/* The first pass, into the empty folder to_fd, on one filesystem. update->options are set; the
 * caller ends it with copy_update_clear(). */
int copy_update_begin(struct copy_update *update, int from_fd, int to_fd, struct err *e);

/* The second. 1: it cannot tell (the clock was set; files with several names changed): copy it all
 * anew. */
int copy_update_finish(struct copy_update *update, int from_fd, int to_fd, struct err *e);
