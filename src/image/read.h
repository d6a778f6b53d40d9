/* read.h - a descriptor as a byte_source, and a byte_source as libarchive's input. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/own.h"
#include "storage/unpack.h"

struct archive;
struct image_fd_source;

/* Reads fd, which stays the caller's, from where it stands. seen (may be NULL) is told the bytes
 * of each read, for progress. */
struct image_fd_source *image_fd_source_new(int fd, void (*seen)(void *context, size_t bytes),
					    void *context);
/* The length bytes of a file from offset from on, wherever fd stands; an end before that is
 * ERR_CORRUPT. */
struct image_fd_source *image_fd_source_range(int fd, int64_t from, int64_t length,
					      void (*seen)(void *context, size_t bytes),
					      void *context);
void image_fd_source_free(struct image_fd_source *source);
OWN_DEFINE(image_fd_source_free, struct image_fd_source *)
struct byte_source image_fd_source(struct image_fd_source *source);

/* The context of image_read_block, which is an archive_read_callback. */
struct image_read {
	struct byte_source source;
	bool failed;
	struct err error; /* of the source, when it failed */
};
ssize_t image_read_block(struct archive *archive, void *context, const void **block);
