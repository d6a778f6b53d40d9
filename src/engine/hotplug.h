/* hotplug.h - mounts and device nodes of a container that runs, as they come and go (decision
 * 0052). The caller holds its lock; its monitor has no part in it. What is there beyond the spec
 * that it was started with, and what was about to be, stands in plugged.json of the run folder. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"
#include "oci/runtime_spec.h"
#include "runtime/mount_add.h"
#include "runtime/runtime.h"

struct engine;
struct err;

struct hotplug {
	struct engine *engine;
	const struct container *c; /* borrowed: its record */
	int run_fd;
	struct oci_spec spec; /* what its monitor starts it with the next time */
	/* plugged.json: it counts for the process that is the container's first now */
	struct runtime_container container;
	SHAPE_LIST_OF(struct container_mount) mounts;   /* those that no record has */
	SHAPE_LIST_OF(struct container_device) devices; /* the same */
	SHAPE_LIST_OF(struct oci_device) nodes;         /* of these devices */
	struct strv leaving;                            /* targets that are being taken away */
};
#define HOTPLUG_INIT                                                                               \
	{                                                                                          \
		.run_fd = -1                                                                       \
	}
void hotplug_clear(struct hotplug *to);

/* ERR_STATE: it does not run. */
int hotplug_open(struct hotplug *to, struct engine *engine, const struct container *c,
		 struct err *e);

/* What a killed command left: what the record has comes, what it has no more goes. */
int hotplug_repair(struct hotplug *to, struct err *e);

/* keep: its monitor starts it with it, too; else it is gone with the container's first process.
 * Both take the values over where they succeed. */
int hotplug_add_mount(struct hotplug *to, const struct container_mount *mount, bool keep,
		      struct err *e);
int hotplug_add_device(struct hotplug *to, const struct container_device *device, bool keep,
		       struct err *e);

/* Before the record changes, and afterwards: what was at this target, if it is still there. */
int hotplug_leave(struct hotplug *to, const char *target, struct err *e);
int hotplug_remove(struct hotplug *to, const char *target, struct err *e);

/* Is it there for this run alone? */
bool hotplug_is_temporary(const struct hotplug *to, const char *target);
