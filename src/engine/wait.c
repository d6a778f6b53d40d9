#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/process.h"
#include "engine/record.h"

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

int engine_wait(struct engine *engine, const char *name, enum engine_wait_for condition,
		int *ret_code, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct container_state state;
	int code = 0;

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_state_read(engine, id, &state, e);
	if (r < 0)
		return r;
	code = state.exit_code;
	if (is_live(&state)) {
		r = wait_exit(engine, id, condition == ENGINE_WAIT_REMOVED, &code, e);
		/* it ended in between, or its monitor was killed */
		if (r < 0 && engine_state_read(engine, id, &state, e) == 0 && !is_live(&state)) {
			code = state.exit_code;
			r = 0;
		}
		if (r < 0)
			return r;
	} else if (condition == ENGINE_WAIT_NEXT_EXIT) {
		return err_set(e, ERR_STATE, "container %s is not running", name);
	}
	if (condition == ENGINE_WAIT_REMOVED)
		r = wait_removed(engine, id, e);
	if (r == 0)
		*ret_code = code;
	return r;
}
