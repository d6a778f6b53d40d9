#include "engine/start.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "engine/checkpoint.h"
#include "engine/event.h"
#include "engine/pod.h"
#include "engine/process.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/require.h"
#include "engine/volume.h"
#include "engine/whole.h"
#include "monitor/reap.h"

/* What a failed start leaves of a container that goes when it ends: nothing. */
static void forget(struct engine *engine, const struct container *c)
{
	struct err ignored;
	/* or its monitor has done it */
	bool there = faccessat(engine->containers_fd, c->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	if (record_delete(engine, c->id, c->name, c, &ignored) == 0 && there)
		engine_event_container(engine, c, "destroy", NULL);
}

/* A monitor that never lived, or was killed over the start, has not done it. */
static void clear_up(struct engine *engine, const char *id, int folder_fd)
{
	own_free char *run_dir = engine_process_run_dir(engine, id);
	struct err ignored;
	bool removed;

	monitor_reap(&removed, run_dir, folder_fd, &ignored);
}

int engine_start_locked(struct engine *engine, const struct container *c, int folder_fd,
			const struct start_options *o, struct engine_session *ret, struct err *e)
{
	int r = engine_require_start(engine, c, e);

	if (r == 0)
		r = engine_pod_start(engine, c, e);
	if (r == 0)
		r = engine_quota_settle(c, folder_fd, e);
	if (r == 0)
		r = engine_process_start(engine, c, folder_fd, o, ret, e);
	if (r < 0)
		clear_up(engine, c->id, folder_fd);
	if (r < 0 && (c->auto_remove || o->on_trial))
		forget(engine, c);
	return r;
}

static int start_recorded(struct engine *engine, const char *id, int folder_fd,
			  const struct start_options *o, struct engine_session *ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = record_read(engine, id, &c, e);

	if (r == 0)
		r = engine_whole_mend(engine, &c, folder_fd, e);
	if (r < 0)
		return r;
	engine_quota_clear_left(&c, folder_fd);
	return engine_start_locked(engine, &c, folder_fd, o, ret, e);
}

int engine_start(struct engine *engine, const char *name, const struct start_options *o,
		 struct engine_session *ret, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct container_state state;
	own_free char *images = NULL;

	*ret = (struct engine_session){ .client = MONITOR_CLIENT_NONE };
	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_checkpoint_find(&images, engine, id, o, e);
	if (r < 0)
		return r;
	own_fd int folder = record_lock(engine, id, true, e);
	if (folder < 0)
		return folder;
	r = engine_state_read_locked(engine, id, folder, &state, e);
	if (r < 0)
		return r;

	if (state.status == CONTAINER_PAUSED) {
		err_set(e, ERR_STATE, "container %s is paused", name);
		return err_hint(e, "holm unpause %s", name);
	}
	if (state.status == CONTAINER_RUNNING || state.status == CONTAINER_RESTARTING) {
		strcpy(ret->id, id);
		if (images)
			return err_set(e, ERR_STATE, "container %s is running", name);
		return o->attach ? engine_attach(engine, id, o, ret, e) : 0;
	}
	struct start_options from = *o;
	from.images = images;
	return start_recorded(engine, id, folder, &from, ret, e);
}
