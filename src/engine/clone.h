/* clone.h - another container with the files and the configuration of one, or of its snapshot. Both
 * stand on the same layers from then on; nothing is copied but what a running one wrote since. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct engine;
struct err;
struct shape_map;

struct clone_options {
	char *name;         /* NULL: a generated one */
	char *snapshot;     /* NULL: what it has now */
	bool full;          /* one layer of its own bytes in the place of those that were frozen */
	bool ephemeral;     /* it goes when it ends */
	bool keep_identity; /* machine-id and ssh host keys stay */
	/* of a pod and its containers (pods_clone.c): the ids of those that were cloned before it,
	 * and what they are now; whatever of theirs it has, is the clones' then */
	const struct shape_map *moved;
	const char *hostname; /* NULL: its name */
};

/* A container of its own: id, name, addresses, ids of its user namespace, and inside machine-id
 * and ssh host keys (identity.h). Volumes with a name are shared, nameless ones new. *ret is the
 * caller's. ERR_UNSUPPORTED for one of a pod, without moved. */
int engine_clone(struct engine *engine, const char *container, const struct clone_options *o,
		 struct container *ret, struct err *e);
