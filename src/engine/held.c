#include "engine/held.h"

#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/freeze.h"
#include "engine/record.h"
#include "engine/stop.h"
#include "monitor/client.h"
#include "storage/store.h"

int engine_held_take(struct engine_held *to, struct engine *engine, const char *name, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	to->layers = store_lock_layers_shared(engine->store, e);
	if (to->layers < 0)
		return to->layers;
	to->folder = record_lock(engine, id, true, e);
	if (to->folder < 0)
		return to->folder;
	r = engine_state_read_locked(engine, id, to->folder, &to->state, e);
	if (r == 0)
		r = record_read(engine, id, &to->container, e);
	if (r < 0 || !to->container.image.in_place)
		return r;
	err_set(e, ERR_UNSUPPORTED, "container %s is booted in place, in %s, which has no layers",
		name, to->container.image.rootfs);
	if (to->container.image.disk)
		return -e->number;
	return err_hint(e,
			"import the folder as an image first: tar c -C %s . | holm import - NAME",
			to->container.image.rootfs);
}

void engine_held_clear(struct engine_held *held)
{
	container_clear(&held->container);
	own_fd_call(&held->folder);
	own_fd_call(&held->layers);
	*held = (struct engine_held)ENGINE_HELD_NONE;
}

static int refuse_live(const struct container *c, const char *name, const char *how, struct err *e)
{
	err_set(e, ERR_STATE, "container %s is running", name);
	if (c->auto_remove)
		return err_hint(e, "it was made with --rm: it goes when it ends");
	return err_hint(e, "%s stops it, and starts it again", how);
}

int engine_held_check_still(const struct engine_held *held, const char *name, const char *how,
			    struct err *e)
{
	int live = engine_freeze_is_live(&held->container, &held->state, e);

	return live > 0 ? refuse_live(&held->container, name, how, e) : live;
}

int engine_held_stop(bool *ret, struct engine *engine, const char *name, const char *how,
		     struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	const struct monitor_stop plain = { .timeout_s = MONITOR_STOP_OWN };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	*ret = container_state_live(&state) || state.status == CONTAINER_RESTARTING;
	if (*ret && c.auto_remove)
		return refuse_live(&c, name, how, e);
	return *ret ? engine_stop_one(engine, c.id, &plain, e) : 0;
}

int engine_held_start_again(struct engine *engine, const char *name, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };

	int r = engine_start(engine, name, &plain, &session, e);
	if (r == 0)
		engine_session_close(&session);
	return r;
}
