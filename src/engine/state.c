#include "engine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/record.h"
#include "engine/volume.h"
#include "monitor/reap.h"
#include "monitor/state.h"
#include "storage/store.h"

static const char *const status_names[] = {
	[CONTAINER_CREATED] = "created",       [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",         [CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_EXITED] = "exited",         [CONTAINER_DEAD] = "dead",
	[CONTAINER_INCOMPLETE] = "incomplete",
};

const char *container_status_name(enum container_status status)
{
	return status_names[status];
}

bool container_state_live(const struct container_state *state)
{
	return state->status == CONTAINER_RUNNING || state->status == CONTAINER_PAUSED;
}

static void exit_clear(struct monitor_exit_record *record)
{
	shape_clear(&monitor_exit_record_shape, record);
}

static int64_t read_moment(const char *text)
{
	struct err ignored;
	int64_t ns = 0;

	if (!str_empty(text) && moment_parse(&ns, text, &ignored) < 0)
		return 0;
	return ns;
}

/* 1: the monitor lives and *ret is filled; 0: none. */
static int read_live(struct engine *engine, const char *id, struct container_state *ret,
		     struct err *e)
{
	pid_t monitor = monitor_state_alive_in(engine->run_fd, id);
	if (monitor <= 0)
		return 0;

	own_clear(monitor_state_clear) struct monitor_state state = { 0 };
	int r = monitor_state_read_in(&state, engine->run_fd, id, e);
	if (r == -ENOENT)
		return 0; /* it has not started the container yet, or is about to end */
	if (r < 0)
		return r;
	*ret = (struct container_state){
		.status = CONTAINER_RUNNING,
		.pid = (pid_t)state.container.pid,
		.pid_start = state.container.pid_start,
		.monitor_pid = monitor,
		.exit_code = (int)state.exit_code,
		.started_ns = read_moment(state.started_at),
		.finished_ns = read_moment(state.finished_at),
		.restart_count = state.restart_count,
		.health = monitor_health_parse(state.health),
	};
	for (size_t i = 0; i < COUNT_OF(status_names); i++)
		if (str_equal(status_names[i], state.status))
			ret->status = (enum container_status)i;
	return 1;
}

static void take_record(struct container_state *ret, const struct monitor_exit_record *record)
{
	*ret = (struct container_state){
		.status = record->started_at ? CONTAINER_EXITED : CONTAINER_CREATED,
		.exit_code = (int)record->exit_code,
		.oom_killed = record->oom_killed,
		.stopped = record->stopped,
		.started_ns = read_moment(record->started_at),
		.finished_ns = read_moment(record->finished_at),
		.restart_count = record->restart_count,
	};
	snprintf(ret->error, sizeof(ret->error), "%s", record->error ? record->error : "");
}

static int read_exit(struct engine *engine, const char *id, struct container_state *ret,
		     struct err *e)
{
	own_clear(exit_clear) struct monitor_exit_record record = { 0 };

	int r = monitor_exit_record_read_in(&record, engine->containers_fd, id, e);
	if (r == -ENOENT) {
		own_fd int fd = record_open(engine, id, e);
		if (fd >= 0)
			*ret = (struct container_state){ .status = CONTAINER_CREATED };
		return fd < 0 ? fd : 0;
	}
	if (r == 0)
		take_record(ret, &record);
	return r;
}

/* One that ran when the host went down: nobody wrote how it ended, and the run folder, on a tmpfs,
 * went, too. It ended before this boot; nobody knows better. */
static void read_lost(struct engine *engine, const char *id, struct container_state *ret)
{
	own_clear(exit_clear) struct monitor_exit_record record = { 0 };
	struct timespec up;
	struct err none;

	if (monitor_exit_record_read_lost_in(&record, engine->containers_fd, id, &none) < 0)
		return;
	take_record(ret, &record);
	clock_gettime(CLOCK_BOOTTIME, &up);
	ret->finished_ns = moment_now_ns() - up.tv_sec * 1000000000 - up.tv_nsec;
	if (ret->finished_ns < ret->started_ns)
		ret->finished_ns = ret->started_ns;
}

/* What a killed monitor left is cleared under the lock; where that is taken, somebody is just
 * starting or removing it. */
static void clear_left(struct engine *engine, const char *id, int locked_fd)
{
	own_free char *run_dir = mem_format("%s/containers/%s", engine->store->run, id);
	own_fd int lock = -1;
	struct err ignored;
	bool removed;

	if (locked_fd < 0) {
		lock = record_lock(engine, id, false, &ignored);
		if (lock < 0)
			return;
		locked_fd = lock;
	}
	monitor_reap(&removed, run_dir, locked_fd, &ignored);
}

/* Under the lock, so that nobody starts it: one that run was to start and to remove at its end, and
 * that neither runs nor has run. */
static bool is_abandoned(struct engine *engine, const char *id, const struct container *c)
{
	struct container_state state;
	struct err ignored;

	return c->by_run && c->auto_remove && monitor_state_alive_in(engine->run_fd, id) == 0 &&
	       read_exit(engine, id, &state, &ignored) == 0 && state.status == CONTAINER_CREATED;
}

/* Of a created container: was its maker killed? Then it is removed, and true. */
static bool clear_abandoned(struct engine *engine, const char *id, int locked_fd)
{
	own_clear(container_clear) struct container c = { 0 };
	own_fd int lock = -1;
	struct err ignored;

	if (record_read(engine, id, &c, &ignored) < 0 || !c.by_run || !c.auto_remove)
		return false;
	if (locked_fd < 0) {
		lock = record_lock(engine, id, false, &ignored);
		if (lock < 0)
			return false;
	}
	if (!is_abandoned(engine, id, &c) || record_delete(engine, id, c.name, &c, &ignored) < 0)
		return false;
	engine_event_container(engine, &c, "destroy", NULL);
	return true;
}

static bool has_run_folder(struct engine *engine, const char *id)
{
	return faccessat(engine->run_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* It seems to be a created one: it may be just being started, or what somebody killed left. */
static int look_closer(struct engine *engine, const char *id, int locked_fd,
		       struct container_state *ret, struct err *e)
{
	pid_t monitor = monitor_state_alive_in(engine->run_fd, id);

	ret->monitor_pid = monitor > 0 ? monitor : 0;
	if (monitor)
		return 0;
	if (clear_abandoned(engine, id, locked_fd))
		return record_not_found(id, e);
	if (!has_run_folder(engine, id))
		read_lost(engine, id, ret);
	return 0;
}

static int read_state(struct engine *engine, const char *id, int locked_fd,
		      struct container_state *ret, struct err *e)
{
	/* another round for one that was started in between */
	for (int round = 0;; round++) {
		int r = read_live(engine, id, ret, e);
		if (r != 0)
			return r < 0 ? r : 0;
		if (has_run_folder(engine, id))
			clear_left(engine, id, locked_fd);
		r = read_exit(engine, id, ret, e);
		if (r < 0 || ret->status != CONTAINER_CREATED)
			return r;
		if (round == 0 && has_run_folder(engine, id))
			continue;
		return look_closer(engine, id, locked_fd, ret, e);
	}
}

int engine_state_read(struct engine *engine, const char *id, struct container_state *ret,
		      struct err *e)
{
	return read_state(engine, id, -1, ret, e);
}

int engine_state_read_locked(struct engine *engine, const char *id, int folder_fd,
			     struct container_state *ret, struct err *e)
{
	return read_state(engine, id, folder_fd, ret, e);
}

static const char *health_words(const struct container_state *state)
{
	static const char *const words[] = {
		[MONITOR_HEALTH_NONE] = "",
		[MONITOR_HEALTH_STARTING] = " (health: starting)",
		[MONITOR_HEALTH_HEALTHY] = " (healthy)",
		[MONITOR_HEALTH_UNHEALTHY] = " (unhealthy)",
	};

	return words[state->health];
}

void container_state_describe(char to[64], const struct container_state *state, int64_t now_ns)
{
	char span[32];

	switch (state->status) {
	case CONTAINER_CREATED:
		snprintf(to, 64, "Created");
		return;
	case CONTAINER_DEAD:
		snprintf(to, 64, "Dead");
		return;
	case CONTAINER_INCOMPLETE:
		snprintf(to, 64, "Incomplete");
		return;
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		moment_format_span(span, now_ns - state->started_ns);
		snprintf(to, 64, "Up %s%s", span,
			 state->status == CONTAINER_PAUSED ? " (Paused)" : health_words(state));
		return;
	case CONTAINER_RESTARTING:
	case CONTAINER_EXITED:
		moment_format_span(span, now_ns - state->finished_ns);
		snprintf(to, 64, "%s (%d) %s ago",
			 state->status == CONTAINER_EXITED ? "Exited" : "Restarting",
			 state->exit_code, span);
		return;
	}
}
