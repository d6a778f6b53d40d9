/* image.h - a stored image: its manifest and config, its layers as folders, what it takes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/image.h"

struct err;
struct store;
struct strv;

struct storage_image {
	char *digest; /* of the manifest */
	struct oci_manifest manifest;
	struct oci_image_config config; /* rootfs.diff_ids: the layers, lowest first */
};

/* Reads both documents. ERR_NOT_FOUND if the store lacks one; the hint says to pull again. The
 * caller clears. */
int storage_image_read(struct storage_image *to, const struct store *store, const char *digest,
		       struct err *e);
void storage_image_clear(struct storage_image *image);

/* Are all its layers unpacked? ERR_NOT_FOUND names the first that is not. */
int storage_image_check_layers(const struct storage_image *image, const struct store *store,
			       struct err *e);

/* Is this layer one that commit packed and nobody has needed yet (decision 0022)? Then it is
 * unpacked by the first who does, and nothing is wrong with it. */
bool storage_image_layer_waits(const struct storage_image *image, const struct store *store,
			       size_t index);

/* Bytes of the files of one layer; where it is not unpacked yet, of its archive. */
int storage_image_layer_size(const struct storage_image *image, const struct store *store,
			     size_t index, uint64_t *ret, struct err *e);

/* Bytes of its files, the sum over its layers: the SIZE of `images`. */
int storage_image_size(const struct storage_image *image, const struct store *store, uint64_t *ret,
		       struct err *e);

/* When it was used last: brought, or made a container of. It is the time of the manifest's blob,
 * which nothing else changes; a call costs a few microseconds, and nothing waits for the disk. */
void storage_image_touch(const struct store *store, const char *digest);
int64_t storage_image_used_ns(const struct store *store, const char *digest); /* 0: not known */
