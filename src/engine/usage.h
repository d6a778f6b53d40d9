/* usage.h - what takes the disk, and what of it nobody uses: `system df`, and the plan of `gc`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "engine/engine.h"
#include "storage/usage.h"
#include "storage/volume.h"

/* One stored image, whatever the number of its names. */
struct usage_image {
	char *digest;           /* of the manifest */
	char *id;               /* "sha256:..." */
	struct strv references; /* in full; none: dangling */
	size_t *parts;          /* indices into engine_usage.store.parts */
	size_t parts_count;
	uint64_t bytes;  /* of the disk */
	uint64_t shared; /* of these: also another image's */
	size_t containers;
	bool mounted;    /* by `image mount` */
	int64_t used_ns; /* when a container was made of it last, or it was brought */
};

struct usage_volume {
	char *name;
	uint64_t bytes;
	size_t links; /* containers that name it */
};

struct engine_usage {
	struct storage_usage store;
	SHAPE_LIST_OF(struct usage_image) images;
	uint64_t images_reclaimable;
	struct engine_rows rows; /* all containers, newest first */
	size_t *holders;         /* of each part: how many containers have it as a frozen layer */
	uint64_t *frozen_own;    /* of each container: bytes of frozen layers that are its alone */
	uint64_t frozen_bytes;   /* of all frozen layers, each once */
	uint64_t *container_bytes; /* of each, with the frozen layers that are its alone */
	uint64_t containers_bytes; /* of all, with frozen layers, debris and the folder itself */
	SHAPE_LIST_OF(struct usage_volume) volumes; /* by name */
	uint64_t volumes_bytes;
};

/* Measures it all. An image that cannot be read is left out of the list, and counts as
 * reclaimable. The caller ends *ret with engine_usage_clear(). */
int engine_usage_read(struct engine *engine, struct engine_usage *ret, struct err *e);

/* The images alone, for who removes some. */
int engine_usage_images(struct engine *engine, struct engine_usage *ret, struct err *e);
void engine_usage_clear(struct engine_usage *usage);

/* What the container wrote, and with the files of its image, in bytes. Not being able to look is no
 * reason to fail. */
void engine_usage_container(struct engine *engine, const struct container *c, uint64_t *written,
			    uint64_t *all);
