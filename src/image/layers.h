/* layers.h - the layers of one image into the store, several at a time: from a registry, from the
 * members of an archive, or from blobs that are there already. For pull, load and import alike. */
#pragma once
#include <stdbool.h>

struct err;
struct image_members;
struct image_registry;
struct image_report;
struct oci_image_config;
struct oci_manifest;
struct store;

struct image_layers {
	const struct store *store;
	struct image_report *report;
	struct image_registry *registry;
	const struct image_members *members; /* without both every blob is in the store */
	bool whole; /* bring the blob of a layer, too, that is unpacked already */
};

/* Brings every layer of manifest, whose diff ids config names in the same order, into the store:
 * what is there is left, what another process is bringing is waited for. The largest goes first. On
 * failure the error of the layer that failed first; what is complete stays, for the next try. */
int image_layers_bring(const struct image_layers *layers, const struct oci_manifest *manifest,
		       const struct oci_image_config *config, struct err *e);
