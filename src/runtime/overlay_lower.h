/* overlay_lower.h - the layers of an overlay as they travel in the annotation
 * org.holm.rootfs.lower: a JSON array, the topmost first, of "/path", or of { "path": "/path",
 * "uidMappings": [...], "gidMappings": [...] } for a layer whose files have owners of their own;
 * org.holm.rootfs.data is an array of "/path" alone. */
#pragma once
#include "runtime/overlay.h"

/* Adds a layer below those that are there. from: who its files' owners are on the disk, as the ids
 * of a container, which are to be those of to; NULL: those of an image. */
void runtime_overlay_lower_add(struct runtime_overlay *to, char *path_taken,
			       const struct runtime_idmap *from, const struct runtime_idmap *ids);

/* Adds a layer that has the owners it is to have. */
void runtime_overlay_lower_add_shifted(struct runtime_overlay *to, char *path_taken);

/* ERR_INVALID names the element. */
int runtime_overlay_lower_read(struct runtime_overlay *to, const char *text, struct err *e);

/* text NULL: there is none. */
int runtime_overlay_data_read(struct runtime_overlay *to, const char *text, struct err *e);

/* The caller's (json_object_put). */
struct json_object *runtime_overlay_lower_write(const struct runtime_overlay *overlay);

/* The owners of this layer; NULL: it has those of an image. */
const struct runtime_overlay_owners *
runtime_overlay_owners_of(const struct runtime_overlay *overlay, size_t layer);
