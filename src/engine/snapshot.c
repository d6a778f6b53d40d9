#include "engine/snapshot.h"

#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/record.h"
#include "engine/span.h"
#include "engine/tree.h"
#include "storage/gc.h"

void engine_snapshot_collect(struct engine *engine)
{
	struct gc_result result;
	struct err e;

	if (storage_gc(engine->store, false, false, &result, &e) < 0)
		log_warning("what nothing needs any more is not collected: %s", e.text);
	else
		log_debug("collected %llu layers, %llu bytes", (unsigned long long)result.layers,
			  (unsigned long long)result.bytes);
}

/* ---- taking one ---- */

static int begin(struct snapshot *to, int folder_fd, const char *name,
		 const struct snapshot_options *o, struct err *e)
{
	own_clear(snapshots_clear) struct snapshots all = { 0 };
	int64_t span_ns;

	to->created_ns = moment_now_ns();
	to->comment = mem_text(o->comment);
	to->scheduled = o->scheduled;
	int r = o->expiry ? engine_span_parse(&span_ns, o->expiry, e) : 0;
	if (r < 0)
		return err_add(e, "--expiry");
	if (o->expiry)
		to->expires_ns = to->created_ns + span_ns;
	r = name ? snapshot_name_check(name, e) : 0;
	if (r == 0)
		r = snapshot_list(&all, folder_fd, e);
	if (r < 0)
		return r;
	for (size_t i = 0; name && i < all.count; i++)
		if (str_equal(all.items[i].name, name))
			return err_set(e, ERR_EXISTS, "there is a snapshot %s already", name);
	to->name = name ? mem_text(name) : snapshot_next_name(&all, o->scheduled ? "auto" : "snap");
	return 0;
}

static int take(struct engine *engine, struct engine_held *held, struct snapshot *to, struct err *e)
{
	struct container *c = &held->container;
	int live = engine_freeze_is_live(c, &held->state, e);

	if (live < 0)
		return live;
	to->live = live;
	int r = live ? engine_freeze_live(engine, c, &held->state, &to->paused_ns, e)
		     : engine_freeze_still(engine, c, held->folder, e);
	if (r < 0)
		return r;
	fault_point("snapshot.frozen");
	to->container = *c;
	*c = (struct container){ 0 };
	return snapshot_write(held->folder, to, e);
}

int engine_snapshot_of_held(struct engine *engine, struct engine_held *held, const char *name,
			    const struct snapshot_options *o, struct snapshot *ret, struct err *e)
{
	own_clear(snapshot_clear) struct snapshot made = { 0 };

	int r = begin(&made, held->folder, name, o, e);
	if (r == 0)
		r = take(engine, held, &made, e);
	if (r < 0)
		return r;
	engine_event_container(engine, &made.container, "snapshot", "snapshot", made.name, NULL);
	*ret = made;
	made = (struct snapshot){ 0 };
	return 0;
}

int engine_snapshot_create(struct engine *engine, const char *container, const char *name,
			   const struct snapshot_options *o, struct snapshot *ret, struct err *e)
{
	own_clear(engine_held_clear) struct engine_held held = ENGINE_HELD_NONE;

	int r = engine_held_take(&held, engine, container, e);
	return r < 0 ? r : engine_snapshot_of_held(engine, &held, name, o, ret, e);
}

/* ---- looking ---- */

static int open_folder(struct engine *engine, const char *container, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, container, id, e);
	return r < 0 ? r : record_open(engine, id, e);
}

int engine_snapshot_list(struct engine *engine, const char *container, struct snapshots *ret,
			 struct err *e)
{
	own_fd int folder = open_folder(engine, container, e);

	return folder < 0 ? folder : snapshot_list(ret, folder, e);
}

int engine_snapshot_read(struct engine *engine, const char *container, const char *name,
			 struct snapshot *ret, struct err *e)
{
	own_fd int folder = open_folder(engine, container, e);

	return folder < 0 ? folder : snapshot_read(ret, folder, name, e);
}

/* Its files with the ids that the container has now, which those of the other side have, too. */
static int open_snapshot(struct engine *engine, const char *container, const char *name,
			 const struct container *now, struct err *e)
{
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	struct runtime_idmap *ids = &snapshot.container.security.ids;

	int r = engine_snapshot_read(engine, container, name, &snapshot, e);
	if (r < 0)
		return r;
	runtime_idmap_clear(ids);
	runtime_idmap_copy(ids, &now->security.ids.uids, &now->security.ids.gids);
	return engine_tree_open_layers(engine, &snapshot.container, false, e);
}

int engine_snapshot_diff(struct engine *engine, const char *container, const char *from,
			 const char *to, struct storage_changes *ret, struct err *e)
{
	static const struct storage_changes_options options = {
		.left_out = engine_tree_own_places,
	};
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;

	int r = engine_tree_open(engine, container, to ? ENGINE_TREE_CLOSED : ENGINE_TREE_ALONE,
				 &tree, e);
	if (r < 0)
		return r;
	own_fd int old = open_snapshot(engine, container, from, &tree.container, e);
	if (old < 0)
		return old;
	if (!to)
		return storage_changes_find(ret, old, tree.root_fd, &options, e);
	own_fd int new = open_snapshot(engine, container, to, &tree.container, e);
	return new < 0 ? new : storage_changes_find(ret, old, new, &options, e);
}

/* ---- changing ---- */

static int lock(struct engine *engine, const char *container, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, container, id, e);
	return r < 0 ? r : record_lock(engine, id, true, e);
}

int engine_snapshot_remove(struct engine *engine, const char *container, const char *name,
			   struct err *e)
{
	own_fd int folder = lock(engine, container, e);

	return folder < 0 ? folder : snapshot_remove(folder, name, e);
}

int engine_snapshot_rename(struct engine *engine, const char *container, const char *name,
			   const char *new_name, struct err *e)
{
	own_fd int folder = lock(engine, container, e);

	return folder < 0 ? folder : snapshot_rename(folder, name, new_name, e);
}
