/* As a restore (restore.c): what is in the upper folder becomes a layer, and then one record, which
 * names no such layer, takes the place of another. */
#include "engine/rebuild.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/image.h"
#include "engine/lower.h"
#include "engine/pod.h"
#include "engine/record.h"
#include "engine/snapshot.h"
#include "engine/spec.h"
#include "image/source.h"
#include "storage/store.h"

struct rebuilding {
	struct engine *engine;
	const char *name;
	const struct rebuild_options *options;
	int layers; /* the lock, from before the image is there */
	bool other; /* of another image: */
	struct container_image image;
	char *snapshot;
};

static void rebuilding_clear(struct rebuilding *r)
{
	shape_clear(&container_image_shape, &r->image);
	own_fd_call(&r->layers);
	free(r->snapshot);
}

static char *advice(const struct rebuilding *r)
{
	return mem_format("holm rebuild --restart %s%s%s", r->name, r->other ? " " : "",
			  r->other ? r->options->image : "");
}

/* ---- the image ---- */

/* Before anything is stopped or locked: that may take a while, or fail. */
static int find_image(struct rebuilding *r, const struct container *c, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image found = { 0 };
	own_free char *name = image_source_for(r->options->image, container_is_system(c));
	const struct image_request request = {
		.name = name,
		.platform = c->platform,
		.quiet = r->options->quiet,
	};

	r->layers = store_lock_layers_shared(r->engine->store, e);
	if (r->layers < 0)
		return r->layers;
	return engine_image_resolve(r->engine, &request, &r->image, &found, e);
}

static int prepare(struct rebuilding *r, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };

	int result = engine_load(r->engine, r->name, &c, NULL, e);
	if (result < 0)
		return result;
	if (engine_pod_is(&c))
		return err_set(e, ERR_UNSUPPORTED, "%s is a pod, which has no files", r->name);
	return r->other ? find_image(r, &c, e) : 0;
}

/* ---- the container ---- */

static int take_snapshot(struct rebuilding *r, struct engine_held *held, struct err *e)
{
	own_clear(snapshot_clear) struct snapshot made = { 0 };
	own_free char *comment = mem_format("before a rebuild");
	const struct snapshot_options options = { .comment = comment };

	int result = engine_snapshot_of_held(r->engine, held, NULL, &options, &made, e);
	if (result < 0)
		return result;
	held->container = made.container;
	made.container = (struct container){ 0 };
	r->snapshot = take_ptr(&made.name);
	return 0;
}

static int replace(struct rebuilding *r, struct engine_held *held, struct err *e)
{
	static const struct container none = { 0 };
	struct container *c = &held->container;

	int result = engine_freeze_still(r->engine, c, held->folder, e);
	if (result < 0)
		return result;
	fault_point("rebuild.frozen");
	engine_lower_replace(c, &none);
	if (r->other) {
		shape_clear(&container_image_shape, &c->image);
		c->image = r->image;
		r->image = (struct container_image){ 0 };
	}
	/* a system is to boot as itself again; before the record, since the other way round one
	 * that is killed would boot as what the image says it is */
	result = spec_system_forget(held->folder, e);
	if (result == 0)
		result = record_commit(held->folder, c, e);
	fault_point("rebuild.record");
	return result < 0 ? result : engine_freeze_renew_upper(r->engine, c, held->folder, e);
}

static int rebuild(struct rebuilding *r, struct err *e)
{
	own_clear(engine_held_clear) struct engine_held held = ENGINE_HELD_NONE;
	own_free char *how = advice(r);

	int result = engine_held_take(&held, r->engine, r->name, e);
	if (result == 0)
		result = engine_held_check_still(&held, r->name, how, e);
	if (result == 0 && r->options->snapshot)
		result = take_snapshot(r, &held, e);
	if (result == 0)
		result = replace(r, &held, e);
	if (result == 0)
		engine_event_container(r->engine, &held.container, "rebuild", NULL);
	return result;
}

static int rebuild_and_restart(struct rebuilding *r, struct err *e)
{
	own_free char *how = advice(r);
	bool ran = false;

	int result = prepare(r, e);
	if (result == 0 && r->options->restart)
		result = engine_held_stop(&ran, r->engine, r->name, how, e);
	if (result == 0)
		result = rebuild(r, e);
	return result == 0 && ran ? engine_held_start_again(r->engine, r->name, e) : result;
}

int engine_rebuild(struct engine *engine, const char *container, const struct rebuild_options *o,
		   char **ret_snapshot, struct err *e)
{
	struct rebuilding r = {
		.engine = engine,
		.name = container,
		.options = o,
		.layers = -1,
		.other = o->image != NULL,
	};

	int result = rebuild_and_restart(&r, e);
	*ret_snapshot = take_ptr(&r.snapshot);
	rebuilding_clear(&r);
	engine_snapshot_collect(engine);
	return result;
}
