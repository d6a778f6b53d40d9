/* output.h - where save writes files by name: a tar on a descriptor, or a folder. For save. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "storage/unpack.h"

struct err;
struct image_output;

/* fd stays the caller's. */
struct image_output *image_output_tar(int fd);
/* folder_fd stays the caller's. */
struct image_output *image_output_folder(int folder_fd);
void image_output_free(struct image_output *output);
OWN_DEFINE(image_output_free, struct image_output *)

/* Was a file of this name written? */
bool image_output_has(const struct image_output *output, const char *name);

/* Writes one file of exactly size bytes from source. */
int image_output_file(struct image_output *output, const char *name, int64_t size,
		      const struct byte_source *source, struct err *e);
int image_output_text(struct image_output *output, const char *name, const char *text,
		      struct err *e);

/* Ends the archive. */
int image_output_finish(struct image_output *output, struct err *e);
