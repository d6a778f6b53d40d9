#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/process.h"
#include "engine/record.h"
#include "storage/event.h"
#include "storage/event_reader.h"
#include "storage/store.h"

/* Waits until the folder of the container is gone: what removes it renames it first. */
static int wait_removed(struct engine *engine, const char *id, struct err *e)
{
	own_fd int watch = inotify_init1(IN_CLOEXEC);
	own_free char *path = mem_format("/proc/self/fd/%d", engine->containers_fd);
	char events[4096];

	if (watch < 0 || inotify_add_watch(watch, path, IN_MOVED_FROM | IN_DELETE) < 0)
		return err_sys(e, "watch the containers");
	while (faccessat(engine->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		if (read(watch, events, sizeof(events)) < 0 && errno != EINTR)
			return err_sys(e, "watch the containers");
	return 0;
}

static int wait_exit(struct engine *engine, const char *id, bool final, int *ret_code,
		     struct err *e)
{
	struct monitor_client client = MONITOR_CLIENT_NONE;
	struct monitor_exit end = { 0 };
	int r = engine_process_connect(engine, id, &client, e);

	if (r == 0)
		r = monitor_client_wait(&client, final, &end, e);
	monitor_client_close(&client);
	if (r == 0)
		*ret_code = end.code;
	return r;
}

static bool is_live(const struct container_state *state)
{
	return container_state_live(state) || state->status == CONTAINER_RESTARTING;
}

/* ---- by what the journal of events tells ---- */

/* What happens is looked at anew whenever an event is written; now and then also without one, for
 * a container whose monitor was killed. */
enum { LOOK_MS = 1000 };

static int wait_event(struct storage_event_reader *reader, struct err *e)
{
	struct pollfd polled = { .fd = storage_event_reader_watch(reader, e), .events = POLLIN };

	if (polled.fd < 0)
		return polled.fd;
	if (poll(&polled, 1, LOOK_MS) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	if (polled.revents)
		storage_event_reader_settle(reader);
	return 0;
}

static bool has_come(enum engine_wait_for condition, const struct container_state *state)
{
	switch (condition) {
	case ENGINE_WAIT_CREATED:
		return state->status == CONTAINER_CREATED;
	case ENGINE_WAIT_RUNNING:
		return state->status == CONTAINER_RUNNING;
	case ENGINE_WAIT_PAUSED:
		return state->status == CONTAINER_PAUSED;
	case ENGINE_WAIT_HEALTHY:
		return container_state_live(state) && state->health == MONITOR_HEALTH_HEALTHY;
	case ENGINE_WAIT_UNHEALTHY:
		return container_state_live(state) && state->health == MONITOR_HEALTH_UNHEALTHY;
	default:
		return false;
	}
}

static int wait_state(struct engine *engine, const char *id, enum engine_wait_for condition,
		      struct storage_event_reader *reader, int *ret_code, struct err *e)
{
	struct container_state state;

	for (;;) {
		int r = engine_state_read(engine, id, &state, e);
		if (r < 0)
			return r;
		if (has_come(condition, &state)) {
			*ret_code = state.exit_code;
			return 0;
		}
		r = wait_event(reader, e);
		if (r < 0)
			return r;
	}
}

static bool is_end(const struct storage_event *event, const char *id, int *ret_code)
{
	const char *code = shape_map_get(&event->attributes, "exitCode");
	struct err ignored;
	int64_t number;

	if (!str_equal(event->id, id) || !str_equal(event->action, "die") || !code ||
	    number_parse_i64(&number, code, 0, 255, &ignored) < 0)
		return false;
	*ret_code = (int)number;
	return true;
}

/* The first end that is told from here on. */
static int wait_end(struct engine *engine, const char *id, struct storage_event_reader *reader,
		    int *ret_code, struct err *e)
{
	const struct storage_event *event;
	struct container_state state;

	for (;;) {
		int r;
		/* clears up behind a monitor that was killed, which tells the end */
		bool gone = engine_state_read(engine, id, &state, e) < 0;
		while ((r = storage_event_reader_next(reader, &event, e)) > 0)
			if (is_end(event, id, ret_code))
				return 0;
		if (r < 0)
			return r;
		if (gone)
			return record_not_found(id, e);
		r = wait_event(reader, e);
		if (r < 0)
			return r;
	}
}

/* It may have run again before it was removed. */
static int read_last_end(struct storage_event_reader *reader, const char *id, int *ret_code,
			 struct err *e)
{
	const struct storage_event *event;
	int r;

	while ((r = storage_event_reader_next(reader, &event, e)) > 0)
		is_end(event, id, ret_code);
	return r;
}

/* From here on; what was told before is passed over. */
static int open_journal(struct engine *engine, struct storage_event_reader **ret, struct err *e)
{
	const struct storage_event *event;
	int r = storage_event_reader_open(ret, engine->store->run_fd, e);

	if (r == 0)
		r = storage_event_reader_watch(*ret, e);
	while (r >= 0 && (r = storage_event_reader_next(*ret, &event, e)) > 0)
		;
	return r;
}

/* ---- the verb ---- */

/* The end of one that runs, or how it ended. */
static int wait_not_running(struct engine *engine, const char *id, bool removed,
			    const struct container_state *now, int *ret_code, struct err *e)
{
	struct container_state state;

	*ret_code = now->exit_code;
	if (!is_live(now))
		return 0;
	int r = wait_exit(engine, id, removed, ret_code, e);
	/* it ended in between, or its monitor was killed */
	if (r < 0 && engine_state_read(engine, id, &state, e) == 0 && !is_live(&state)) {
		*ret_code = state.exit_code;
		return 0;
	}
	return r;
}

static int wait_for(struct engine *engine, const char *id, enum engine_wait_for condition,
		    int *ret_code, struct err *e)
{
	own(storage_event_reader_close) struct storage_event_reader *reader = NULL;
	struct container_state state;

	int r = open_journal(engine, &reader, e);
	if (r < 0)
		return r;
	if (condition == ENGINE_WAIT_NEXT_EXIT)
		return wait_end(engine, id, reader, ret_code, e);
	if (condition != ENGINE_WAIT_NOT_RUNNING && condition != ENGINE_WAIT_REMOVED)
		return wait_state(engine, id, condition, reader, ret_code, e);
	r = engine_state_read(engine, id, &state, e);
	if (r == 0)
		r = wait_not_running(engine, id, condition == ENGINE_WAIT_REMOVED, &state, ret_code,
				     e);
	if (r < 0 || condition == ENGINE_WAIT_NOT_RUNNING)
		return r;
	r = wait_removed(engine, id, e);
	return r < 0 ? r : read_last_end(reader, id, ret_code, e);
}

int engine_wait(struct engine *engine, const char *name, enum engine_wait_for condition,
		int *ret_code, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	int code = 0;

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = wait_for(engine, id, condition, &code, e);
	if (r == 0)
		*ret_code = code;
	return r;
}
