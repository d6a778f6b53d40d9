/* event.h - tells those who watch (`holm events`) what has been done: see storage/event.h. What a
 * running container does is told by its monitor, under the attributes that it gets from here. None
 * of these fails: the thing has been done. */
#pragma once
#include <stdint.h>

#include "base/shape.h"

struct container;
struct engine;

/* What follows the action are more attributes: pairs of key and value, ended by NULL. */
void engine_event_container(struct engine *engine, const struct container *c, const char *action,
			    ...) __attribute__((sentinel));

/* id: "sha256:..."; of what goes by the name alone (pull, push) NULL. name is shown as people write
 * it, "busybox:latest"; NULL: it has none. */
void engine_event_image(struct engine *engine, const char *action, const char *id,
			const char *name);

/* Of anything else: "volume", "network", "builder"... */
void engine_event(struct engine *engine, const char *type, const char *action, const char *id, ...)
	__attribute__((sentinel));

/* What nothing needed of this type has been removed, which gave back so many bytes. */
void engine_event_pruned(struct engine *engine, const char *type, uint64_t bytes);

/* Labels, image and name: what each event of the container has. The caller clears. */
void engine_event_attributes(struct shape_map *to, const struct container *c);
