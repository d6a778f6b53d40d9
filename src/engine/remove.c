#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "engine/event.h"
#include "engine/hooks.h"
#include "engine/lower.h"
#include "engine/pod.h"
#include "engine/process.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/require.h"
#include "engine/snapshot.h"
#include "engine/stop.h"
#include "monitor/kill.h"
#include "monitor/reap.h"
#include "monitor/state.h"

enum { LOCK_STEP_MS = 10, LOCK_PATIENCE_MS = 10000 };

static int refuse_live(const char *name, const struct container_state *state, struct err *e)
{
	err_set(e, ERR_STATE, "container %s is %s", name, container_status_name(state->status));
	return err_hint(e, "stop it first, or remove it with --force");
}

static bool is_live(const struct container_state *state)
{
	return container_state_live(state) || state->status == CONTAINER_RESTARTING;
}

/* An ended monitor may still clear up cgroups; its run folder has another name by then. */
static int remove_run_folder(struct engine *engine, const char *id, bool force, struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, id);
	int r = force ? monitor_reap_settle_by_force(run_dir, e) : monitor_reap_settle(run_dir, e);

	return r < 0 ? r : fd_remove_tree_at(engine->run_fd, id, e);
}

/* *ret_layers: it, or a snapshot, named layers that are to be collected. */
static int remove_locked(struct engine *engine, const char *name, const char *id, int folder_fd,
			 const struct remove_options *o, bool *ret_layers, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	int r = engine_state_read_locked(engine, id, folder_fd, &state, e);
	if (r < 0 && e->kind == ERR_CORRUPT && monitor_state_alive_in(engine->run_fd, id) == 0)
		state = (struct container_state){ .status = CONTAINER_EXITED }; /* see below */
	else if (r < 0)
		return r;
	if (is_live(&state))
		return refuse_live(name, &state, e);
	r = engine_require_check(engine, name, folder_fd, e);
	if (r < 0)
		return r;
	r = record_read(engine, id, &c, e);
	if (r < 0 && e->kind != ERR_CORRUPT)
		return r; /* a broken record must not keep its container for ever */
	if (r < 0)
		c.name = record_find_name(engine, id);
	r = engine_pod_check_empty(engine, &c, e);
	if (r == 0)
		r = remove_run_folder(engine, id, o->force, e);
	if (r == 0)
		r = engine_hooks_destroy(engine, &c, e);
	if (r < 0)
		return r;
	log_debug("container %.12s (%s) is deleted", id, c.name ? c.name : "no name");
	*ret_layers = engine_lower_count_frozen(&c) ||
		      faccessat(folder_fd, "snapshots", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	own_fd int upper =
		openat(folder_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	engine_quota_forget(&c, upper);
	r = record_delete(engine, id, c.name, o->volumes || c.auto_remove ? &c : NULL, e);
	if (r == 0 && c.id)
		engine_event_container(engine, &c, "destroy", NULL);
	return r;
}

/* By force: a start that does not come to its end is no reason to wait for ever. */
static int lock_by_force(struct engine *engine, const char *id, struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, id);
	const struct timespec pause = { .tv_nsec = LOCK_STEP_MS * 1000000 };

	for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS) {
		int fd = record_lock(engine, id, false, e);
		if (fd >= 0 || e->kind != ERR_STATE || waited_ms == 2 * LOCK_PATIENCE_MS)
			return fd;
		if (waited_ms == LOCK_PATIENCE_MS && monitor_kill(run_dir, e) < 0)
			return err_add(e, "container %.12s", id);
		nanosleep(&pause, NULL);
	}
}

/* What will not be removed is not killed, either. */
static int kill_first(struct engine *engine, const char *name, const char *id, struct err *e)
{
	const struct monitor_stop kill = { .timeout_s = 0 };
	own_fd int folder = record_open(engine, id, e);
	if (folder < 0)
		return folder;

	int r = engine_require_check(engine, name, folder, e);
	return r < 0 ? r : engine_stop_one(engine, id, &kill, e);
}

static int remove_id(struct engine *engine, const char *name, const char *id,
		     const struct remove_options *o, struct err *e)
{
	bool layers = false;

	int r = o->force ? kill_first(engine, name, id, e) : 0;
	if (r < 0)
		return r;
	own_fd int folder =
		o->force ? lock_by_force(engine, id, e) : record_lock(engine, id, true, e);
	if (folder < 0)
		return folder;
	r = remove_locked(engine, name, id, folder, o, &layers, e);
	if (r == 0 && layers)
		engine_snapshot_collect(engine);
	return r;
}

int engine_remove(struct engine *engine, const char *name, const struct remove_options *o,
		  struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	int r = engine_find(engine, name, id, e);

	if (r == 0)
		r = remove_id(engine, name, id, o, e);
	return r < 0 && e->kind == ERR_NOT_FOUND && o->force ? 0 : r;
}
