#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/ps.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/pods.h"
#include "monitor/state.h"

struct pids {
	pid_t *items;
	size_t count;
};

static void pids_clear(struct pids *pids)
{
	free(pids->items);
}

static int add_pids(struct pids *to, struct engine *engine, const char *id, struct err *e)
{
	own_clear(monitor_state_clear) struct monitor_state state = { 0 };
	own_free pid_t *pids = NULL;
	size_t count = 0;

	own_fd int run_fd =
		openat(engine->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return err_set(e, ERR_STATE, "container %.12s is not running", id);
	int r = monitor_state_read_whole_at(&state, run_fd, e);
	if (r == 0)
		r = runtime_container_list(&pids, &count, &state.container, e);
	if (r < 0)
		return r;
	to->items = mem_resize(to->items, to->count + count + 1, sizeof(*to->items));
	for (size_t i = 0; i < count; i++)
		to->items[to->count++] = pids[i];
	return 0;
}

/* A line as its columns: the last one has what is left. */
static struct json_object *split(const char *line, size_t columns)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < columns; i++) {
		line += strspn(line, " \t");
		size_t length = i + 1 < columns ? strcspn(line, " \t") : strlen(line);
		json_object_array_add(array, json_object_new_string_len(line, (int)length));
		line += length;
	}
	return array;
}

static size_t count_columns(const char *line)
{
	for (size_t count = 0;; count++) {
		own_free char *word = ps_column(line, (int)count);
		if (!word)
			return count;
	}
}

static struct json_object *make_table(const struct strv *lines)
{
	struct json_object *table = json_object_new_object();
	struct json_object *processes = json_object_new_array();
	size_t columns = count_columns(lines->items[0]);

	for (size_t i = 1; i < lines->count; i++)
		json_object_array_add(processes, split(lines->items[i], columns));
	json_object_object_add(table, "Titles", split(lines->items[0], columns));
	json_object_object_add(table, "Processes", processes);
	return table;
}

static int list(struct json_object **ret, const struct pids *pids, const struct strv *ps_args,
		struct err *e)
{
	own_clear(strv_clear) struct strv lines = { 0 };

	int r = ps_lines(&lines, pids->items, pids->count, ps_args, e);
	if (r < 0 && e->kind == ERR_UNSUPPORTED)
		r = ps_own_lines(&lines, pids->items, pids->count, ps_args, e);
	if (r == 0)
		*ret = make_table(&lines);
	return r;
}

int engine_top(struct engine *engine, const char *name, const struct strv *ps_args,
	       struct json_object **ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	own_clear(pids_clear) struct pids pids = { 0 };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	if (!container_state_live(&state))
		return err_set(e, ERR_STATE, "container %s is not running", name);
	r = add_pids(&pids, engine, c.id, e);
	if (r == 0)
		r = list(ret, &pids, ps_args, e);
	if (r == 0)
		engine_event_container(engine, &c, "top", NULL);
	return r;
}

int engine_pods_top(struct engine *engine, const char *name, const struct strv *ps_args,
		    struct json_object **ret, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	own_clear(pids_clear) struct pids pids = { 0 };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r == 0)
		r = add_pids(&pids, engine, pod->pod->container.id, e);
	if (r < 0)
		return e->kind == ERR_STATE ? err_set(e, ERR_STATE, "pod %s is not running", name)
					    : r;
	for (size_t i = pod->count; r == 0 && i-- > 0;) {
		r = add_pids(&pids, engine, pod->members[i]->container.id, e);
		if (r < 0 && e->kind == ERR_STATE)
			r = 0; /* it does not run, or has just ended */
	}
	return r < 0 ? r : list(ret, &pids, ps_args, e);
}
