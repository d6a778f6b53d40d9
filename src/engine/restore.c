/* What is in the upper folder first becomes a layer, as for a snapshot (freeze.c): then that folder
 * is empty, and the record of the snapshot can take the place of the record in one step. */
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/record.h"
#include "engine/snapshot.h"
#include "engine/stop.h"
#include "engine/tree.h"
#include "monitor/client.h"

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
	if (r < 0)
		return r;
	own_fd int upper = engine_tree_open_upper(engine, &snapshot->container, e);
	return upper < 0 ? upper : engine_freeze_root(engine, &snapshot->container, upper, e);
}

static int refuse_live(const char *name, const char *snapshot, const struct container *c,
		       struct err *e)
{
	err_set(e, ERR_STATE, "container %s is running", name);
	if (c->auto_remove)
		return err_hint(e, "it was made with --rm: it goes when it ends");
	return err_hint(e, "holm restore --restart %s %s stops it, and starts it again", name,
			snapshot);
}

static int restore(struct engine *engine, const char *name, const char *snapshot_name,
		   struct err *e)
{
	own_clear(engine_held_clear) struct engine_held held = ENGINE_HELD_NONE;
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };

	int r = engine_held_take(&held, engine, name, e);
	if (r == 0)
		r = snapshot_read(&snapshot, held.folder, snapshot_name, e);
	if (r == 0)
		r = engine_freeze_is_live(&held.container, &held.state, e);
	if (r > 0)
		r = refuse_live(name, snapshot_name, &held.container, e);
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
	own_clear(container_clear) struct container c = { 0 };
	own_clear(snapshot_clear) struct snapshot there = { 0 };
	const struct monitor_stop plain = { .timeout_s = MONITOR_STOP_OWN };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r == 0)
		r = engine_snapshot_read(engine, name, snapshot, &there, e);
	if (r < 0)
		return r;
	*ret = container_state_live(&state) || state.status == CONTAINER_RESTARTING;
	if (*ret && c.auto_remove)
		return refuse_live(name, snapshot, &c, e);
	return *ret ? engine_stop_one(engine, c.id, &plain, e) : 0;
}

int engine_restore(struct engine *engine, const char *name, const char *snapshot,
		   const struct restore_options *o, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	bool ran = false;

	int r = o->restart ? stop(&ran, engine, name, snapshot, e) : 0;
	if (r == 0)
		r = restore(engine, name, snapshot, e);
	if (r < 0)
		return r;
	if (ran)
		r = engine_start(engine, name, &plain, &session, e);
	if (ran && r == 0)
		engine_session_close(&session);
	engine_snapshot_collect(engine);
	return r;
}
