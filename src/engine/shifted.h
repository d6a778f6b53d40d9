/* shifted.h - the layers of a container that has ids of its own, where only the host's root may
 * have mounts mapped: an ordinary user's are there once more, as one, with the owners that the
 * container is to see (storage/shifted.h). Frozen ones that have them already lie above, as they
 * are. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct container;
struct container_mount;
struct engine;
struct err;
struct runtime_overlay;
struct store;
struct strv;

/* Adds the container's layers below those that are there, if it is such a one; false: it is none.
 * image_only: those of its image. */
bool engine_shifted_add(struct runtime_overlay *to, const struct store *store,
			const struct container *c, bool image_only);

/* The same for the layers of an image that is one of its mounts, as options of that
 * (runtime/runtime.h). */
bool engine_shifted_add_image(struct strv *options, const struct store *store,
			      const struct container *c, const struct container_mount *mount);

/* Before they are mounted: makes what is not there; of its mounts, too, but with image_only. */
int engine_shifted_make(struct engine *engine, const struct container *c, bool image_only,
			struct err *e);

/* Removes what no container needs; adds the bytes that this gave back. */
int engine_shifted_prune(struct engine *engine, uint64_t *bytes, struct err *e);
