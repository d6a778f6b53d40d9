/* commit.h - what a container wrote becomes a layer, and that with the layers of its image a new
 * image. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "image/progress.h"

struct engine;
struct err;

struct commit_options {
	char *author;
	struct strv change; /* instructions of a Containerfile, see oci/instruction.h */
	char *message;
	bool pause; /* a running container stands still meanwhile; counts if pause_given, else on */
	bool pause_given;
	bool squash;  /* one layer of all files, instead of one more */
	char *format; /* "oci", "docker": whose types the manifest has; NULL: oci */
};

/* name: of the new image, as people type it; NULL: it has none. *ret_id is the image's. The
 * layer is packed now and unpacked when a container first needs it. On failure nothing is left. */
int engine_commit(struct engine *engine, const char *container, const char *name,
		  const struct commit_options *options, char ret_id[IMAGE_DIGEST_SIZE],
		  struct err *e);
