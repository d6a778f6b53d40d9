/* What is in the upper folder first becomes a layer, as for a snapshot (freeze.c): then that folder
 * is empty, and the record of the snapshot can take the place of the record in one step. */
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/record.h"
#include "engine/snapshot.h"

/* Exchanges the members that are the container's own, whatever its snapshots say. */
#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) kept_ = (a);                                                         \
		(a) = (b);                                                                         \
		(b) = kept_;                                                                       \
	} while (0)

static void keep_identity(struct container *to, struct container *from)
{
	SWAP(to->id, from->id);
	SWAP(to->name, from->name);
	SWAP(to->created_ns, from->created_ns);
	SWAP(to->network, from->network);
	SWAP(to->pod, from->pod);
	SWAP(to->secrets, from->secrets);
	SWAP(to->requires, from->requires);
	SWAP(to->storage.size, from->storage.size);
	SWAP(to->storage.quota, from->storage.quota);
	SWAP(to->security.userns, from->security.userns);
	SWAP(to->security.ids, from->security.ids);
	SWAP(to->auto_remove, from->auto_remove);
	SWAP(to->by_run, from->by_run);
}

static int replace(struct engine *engine, struct engine_held *held, struct snapshot *snapshot,
		   struct err *e)
{
	int r = engine_freeze_still(engine, &held->container, held->folder, e);
	if (r < 0)
		return r;
	fault_point("restore.frozen");
	keep_identity(&snapshot->container, &held->container);
	r = record_commit(held->folder, &snapshot->container, e);
	fault_point("restore.record");
	return r < 0 ? r : engine_freeze_renew_upper(engine, &snapshot->container, held->folder, e);
}

/* The command that does not mind that it runs; the caller frees. */
static char *advice(const char *name, const char *snapshot)
{
	return mem_format("holm restore --restart %s %s", name, snapshot);
}

static int restore(struct engine *engine, const char *name, const char *snapshot_name,
		   struct err *e)
{
	own_clear(engine_held_clear) struct engine_held held = ENGINE_HELD_NONE;
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	own_free char *how = advice(name, snapshot_name);

	int r = engine_held_take(&held, engine, name, e);
	if (r == 0)
		r = snapshot_read(&snapshot, held.folder, snapshot_name, e);
	if (r == 0)
		r = engine_held_check_still(&held, name, how, e);
	if (r == 0)
		r = replace(engine, &held, &snapshot, e);
	if (r == 0)
		engine_event_container(engine, &snapshot.container, "restore", "snapshot",
				       snapshot_name, NULL);
	return r;
}

/* What cannot be restored is not stopped. *ret: it ran, and was. */
static int stop(bool *ret, struct engine *engine, const char *name, const char *snapshot,
		struct err *e)
{
	own_clear(snapshot_clear) struct snapshot there = { 0 };
	own_free char *how = advice(name, snapshot);

	int r = engine_snapshot_read(engine, name, snapshot, &there, e);
	return r < 0 ? r : engine_held_stop(ret, engine, name, how, e);
}

int engine_restore(struct engine *engine, const char *name, const char *snapshot,
		   const struct restore_options *o, struct err *e)
{
	bool ran = false;

	int r = o->restart ? stop(&ran, engine, name, snapshot, e) : 0;
	if (r == 0)
		r = restore(engine, name, snapshot, e);
	if (r < 0)
		return r;
	if (ran)
		r = engine_held_start_again(engine, name, e);
	engine_snapshot_collect(engine);
	return r;
}
