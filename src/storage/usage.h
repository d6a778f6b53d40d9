/* usage.h - what the images take of the disk, part by part: each layer and each blob by its digest,
 * and the rest (the folders themselves, index.json, downloads that broke off, debris). The sum is
 * what du(1) says of images/, layers/ and partial/. Who needs which part is told by
 * storage_usage_image(), so that shared bytes are seen as such. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/shape.h"

struct err;
struct storage_image;
struct store;

struct storage_part {
	char *name;     /* "layers/HEX" or "blobs/HEX" */
	uint64_t bytes; /* of the disk */
	size_t users;   /* for the caller: how many images need it */
};

struct storage_usage {
	SHAPE_LIST_OF(struct storage_part) parts; /* by name */
	uint64_t rest;
};

/* Walks the whole store, without a lock: what comes and goes meanwhile is counted or not. The
 * caller clears. */
int storage_usage_read(struct storage_usage *to, const struct store *store, struct err *e);
void storage_usage_clear(struct storage_usage *usage);

uint64_t storage_usage_total(const struct storage_usage *usage);

/* The parts one image needs, each once: indices into usage->parts; the caller frees *ret. packed:
 * with the packed layers, which an image that has no name any more does without (storage/gc.h).
 * Returns how many. Parts the store lacks are left out. */
size_t storage_usage_image(const struct storage_usage *usage, const struct storage_image *image,
			   bool packed, size_t **ret);
