/* layer.h - one layer from its packed bytes into the store: inflate and hash in a thread of its
 * own, extract in the caller's, verify the diff id, commit. For pull, load and import alike. */
#pragma once
#include <stdint.h>

#include "oci/digest.h"
#include "storage/unpack.h"

struct err;
struct layer_facts;
struct layer_writer;
struct store;

struct image_layer_limits {
	struct unpack_limits unpack;
	unsigned ratio_max; /* see decompress.h; 0: the default */
};

/* The defaults, or what $HOLM_LAYER_MAX (bytes, as in 100g) and $HOLM_LAYER_RATIO say, for an image
 * that one trusts. ERR_INVALID for what is no number. */
int image_layer_limits(struct image_layer_limits *to, struct err *e);

/* Reads packed (gzip, zstd or plain tar) to its end, in another thread than the caller's, within
 * image_layer_limits().
 * diff_id: what the config says; a layer with other bytes is ERR_CORRUPT and leaves nothing.
 * checked: the digest of packed itself, where its source ends well only if that is right, else
 * NULL; it spares hashing bytes twice that are not compressed.
 * Returns 0, or 1 if the layer was there already, or once another process has unpacked it: then
 * packed was not read. */
int image_layer_unpack(const struct store *store, const char *diff_id,
		       const struct byte_source *packed, const char *checked, struct err *e);

/* Unpacks into a folder of its own, which does not get the layer's name: to compare with the layer
 * that is there, or to take its place (storage_layer_replace). facts: of what was unpacked, whose
 * diff_id is the caller's buffer. The caller ends *writer with storage_layer_end(). */
int image_layer_unpack_beside(const struct store *store, const char *diff_id,
			      const struct byte_source *packed, struct layer_writer *writer,
			      struct layer_facts *facts, char diff_id_buffer[DIGEST_TEXT_SIZE],
			      struct err *e);

/* The same where the diff id is not known before: it goes to diff_id_ret. */
int image_layer_import(const struct store *store, const struct byte_source *packed,
		       char diff_id_ret[DIGEST_TEXT_SIZE], struct err *e);
