/* copy.h - files from containers, into them, and between them: `cp`, with the rules that Docker's
 * documentation gives for the two paths (docker container cp, "Description"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct engine;
struct err;

struct engine_copy_end {
	const char *container; /* NULL: the path is the host's */
	const char *path;      /* "-" without a container: a tar on standard input or output */
};

struct engine_copy_options {
	bool owners; /* also what comes out of a container keeps its ids */
	bool follow; /* the source's path is followed where it is a link */
};

/* *ret_bytes: of files, not counted where a tar is made or read. ERR_NOT_FOUND, and ERR_STATE for
 * what does not fit what is there. */
int engine_copy(struct engine *engine, const struct engine_copy_end *from,
		const struct engine_copy_end *to, const struct engine_copy_options *options,
		uint64_t *ret_bytes, struct err *e);
