/* send.h - one image, by its manifest, into the repository of a registry. */
#pragma once
#include "base/shape.h"
#include "base/strv.h"
#include "storage/image.h"

struct err;
struct image_place;
struct image_registry;
struct image_report;
struct store;
struct storage_index;

/* One blob to send, and which other repositories of the registry may have it. */
struct image_send_blob {
	const struct oci_descriptor *descriptor;
	struct strv from;
};

struct image_send {
	char *media_type; /* of the manifest */
	struct storage_image image;
	int64_t chunk;                                /* see upload.h */
	SHAPE_LIST_OF(struct image_send_blob) layers; /* each digest once */
};

/* Is it a layer whose makers do not want it copied? Who needs it gets it from the descriptor's
 * urls. */
bool image_send_stays(const struct oci_descriptor *d);

/* Reads the image with this manifest into the zeroed *send. The caller clears, also after a
 * failure. */
int image_send_read(struct image_send *send, const struct store *store, const char *digest,
		    const char *media_type, struct err *e);
void image_send_clear(struct image_send *send);

/* Which of the images in the index are in other repositories of place's registry and have a layer
 * of this one: fills in from, and place->mounts_from. What cannot be read does not count. */
void image_send_find_mounts(struct image_send *send, const struct store *store,
			    const struct storage_index *index, struct image_place *place);

/* Layers, config, manifest; the manifest under target, a tag or its digest. *size (may be NULL):
 * how many bytes the manifest has. */
int image_send_run(const struct image_send *send, const struct store *store,
		   struct image_registry *registry, struct image_report *report, const char *target,
		   int64_t *size, struct err *e);
