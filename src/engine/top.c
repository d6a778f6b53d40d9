#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/ps.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "monitor/state.h"

static int list_pids(struct engine *engine, const char *id, pid_t **ret, size_t *ret_count,
		     struct err *e)
{
	own_clear(monitor_state_clear) struct monitor_state state = { 0 };

	own_fd int run_fd =
		openat(engine->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return err_set(e, ERR_STATE, "container %.12s is not running", id);
	int r = monitor_state_read_whole_at(&state, run_fd, e);
	return r < 0 ? r : runtime_container_list(ret, ret_count, &state.container, e);
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

int engine_top(struct engine *engine, const char *name, const struct strv *ps_args,
	       struct json_object **ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	own_clear(strv_clear) struct strv lines = { 0 };
	own_free pid_t *pids = NULL;
	struct container_state state;
	size_t count = 0;

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	if (!container_state_live(&state))
		return err_set(e, ERR_STATE, "container %s is not running", name);
	r = list_pids(engine, c.id, &pids, &count, e);
	if (r < 0)
		return r;
	r = ps_lines(&lines, pids, count, ps_args, e);
	if (r < 0 && e->kind == ERR_UNSUPPORTED)
		r = ps_own_lines(&lines, pids, count, ps_args, e);
	if (r < 0)
		return r;
	*ret = make_table(&lines);
	engine_event_container(engine, &c, "top", NULL);
	return 0;
}
