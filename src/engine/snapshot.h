/* snapshot.h - the verbs on snapshots of containers. A container's snapshots go with it; clones
 * made of them stay. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "engine/snapshot_file.h"
#include "storage/changes.h"

struct engine;
struct engine_held;
struct err;
struct stop_options;

struct snapshot_options {
	char *comment;
	char *expiry; /* "7d", "12h"; NULL: never */
	bool scheduled;
};

/* Takes one; name NULL: "snap0", or the next. Of a container that runs what it wrote is copied
 * while it stands still; of another it is moved. *ret is the caller's. */
int engine_snapshot_create(struct engine *engine, const char *container, const char *name,
			   const struct snapshot_options *o, struct snapshot *ret, struct err *e);

/* The same for who holds it; its record, held->container, is ret->container then. */
int engine_snapshot_of_held(struct engine *engine, struct engine_held *held, const char *name,
			    const struct snapshot_options *o, struct snapshot *ret, struct err *e);

/* The oldest first; the caller clears. */
int engine_snapshot_list(struct engine *engine, const char *container, struct snapshots *ret,
			 struct err *e);
int engine_snapshot_read(struct engine *engine, const char *container, const char *name,
			 struct snapshot *ret, struct err *e);

/* What it alone held is for engine_snapshot_collect(), once when all are removed. */
int engine_snapshot_remove(struct engine *engine, const char *container, const char *name,
			   struct err *e);
int engine_snapshot_rename(struct engine *engine, const char *container, const char *name,
			   const char *new_name, struct err *e);

/* What changed from the snapshot to another one, or (to NULL) to what the container has now. */
int engine_snapshot_diff(struct engine *engine, const char *container, const char *from,
			 const char *to, struct storage_changes *ret, struct err *e);

struct restore_options {
	bool restart; /* a running one is stopped before, and started again */
};

/* The container's files and configuration become those of the snapshot; identity, networks, pod
 * and secrets stay. What was written since is gone. ERR_STATE for one that runs. */
int engine_restore(struct engine *engine, const char *container, const char *snapshot,
		   const struct restore_options *o, struct err *e);

/* Of the parts that a restore, a clone or an rm, also of a snapshot, let go, those that nothing
 * needs; when somebody pulls just now, later. */
void engine_snapshot_collect(struct engine *engine);
