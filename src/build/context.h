/* context.h - the files that a build may take, and its Dockerfile. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "build/ignore.h"

struct build;
struct err;

struct build_context {
	int fd;     /* of the folder; -1: there is none */
	bool stays; /* it is a folder that the user named */
	struct build_ignore ignore;
	char *file_name; /* for errors: "Dockerfile" */
	char *file;      /* its text, which may have NUL bytes */
	size_t file_length;
};

#define BUILD_CONTEXT_NONE                                                                         \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Opens the folder at path and reads the Dockerfile that file names (NULL: Dockerfile or
 * Containerfile in it; "-": standard input). The path may also be the address of a Git repository,
 * or "-" for standard input, which brings a tar, or a Dockerfile and no context; of these two file
 * is in the context. The caller closes *ret, which begins as BUILD_CONTEXT_NONE, after a failure,
 * too. */
int build_context_open(struct build_context *ret, struct build *build, const char *path,
		       const char *file, struct err *e);
void build_context_close(struct build_context *context);
