/* lower.h - what lies below the upper folder of a container: the layers of its image, and above
 * them those that it, or the one it is a clone of, wrote and that were frozen (engine/freeze.h).
 * Pure, but for the paths. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct container;
struct runtime_idmap;
struct runtime_overlay;
struct store;
struct strv;

/* Adds them to the overlay, the topmost first. With image_only those of its image. */
void engine_lower_add(struct runtime_overlay *to, const struct store *store,
		      const struct container *c, bool image_only);

/* Of the frozen ones how many there are, and their names, lowest first. */
size_t engine_lower_count_frozen(const struct container *c);
void engine_lower_list_frozen(struct strv *to, const struct container *c);

/* One more on top, with the ids that the container has now. */
void engine_lower_push(struct container *c, const char *layer);

/* One more on top whose files have these ids. */
void engine_lower_push_with(struct container *c, const char *layer,
			    const struct runtime_idmap *ids);

/* Those of from in the place of those of to. */
void engine_lower_replace(struct container *to, const struct container *from);
