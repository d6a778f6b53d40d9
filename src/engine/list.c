#include "engine/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/filter.h"
#include "engine/fsck.h"
#include "engine/record.h"
#include "engine/whole.h"
#include "monitor/reap.h"
#include "storage/store.h"

int engine_rows_whole(const struct engine_rows *rows, struct err *e)
{
	if (!rows->damaged)
		return 0;
	err_set(e, ERR_CORRUPT, "what %zu damaged container%s need%s is not known", rows->damaged,
		rows->damaged == 1 ? "" : "s", rows->damaged == 1 ? "s" : "");
	return err_hint(e, ENGINE_FSCK_HINT);
}

void engine_rows_clear(struct engine_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		container_clear(&rows->items[i].container);
	free(rows->items);
	*rows = (struct engine_rows){ 0 };
}

struct listing {
	bool quiet;
	struct engine *engine;
	const struct filter *filter;
	bool all;
	struct engine_rows *rows;
	const char *run; /* $run/containers */
};

/* One that goes while the list is made is simply not in it; one that is damaged hides no other. */
static void pass_over(struct listing *l, const char *id, const struct err *e)
{
	if (e->kind == ERR_NOT_FOUND)
		return;
	l->rows->damaged++;
	if (l->quiet)
		return;
	own_free char *name = record_find_name(l->engine, id);
	log_warning("%.12s%s%s is left out: %s (%s)", id, name ? ", named " : "", name ? name : "",
		    e->text, ENGINE_FSCK_HINT);
}

static void add_row(struct listing *l, const char *id)
{
	struct engine_row row = { 0 };
	struct err e;

	int r = engine_state_read(l->engine, id, &row.state, &e);
	if (r == 0 && !l->all && !container_state_live(&row.state) &&
	    row.state.status != CONTAINER_RESTARTING)
		return;
	if (r == 0)
		r = record_read(l->engine, id, &row.container, &e);
	if (r == 0)
		engine_whole_judge(l->engine, &row.container, &row.state);
	if (r < 0)
		pass_over(l, id, &e);
	else if (filter_matches(l->filter, &row))
		*shape_list_add(l->rows) = row;
	else
		container_clear(&row.container);
}

static bool is_id(const char *name)
{
	return strlen(name) == CONTAINER_ID_LENGTH &&
	       strspn(name, "0123456789abcdef") == CONTAINER_ID_LENGTH;
}

/* Those that may run have a run folder: without --all nothing else is looked at. */
static void add_running(struct listing *l, const char *entry)
{
	size_t count = l->rows->count;

	if (!l->all && is_id(entry))
		add_row(l, entry);
	if (l->rows->count == count)
		monitor_reap_entry(l->run, entry, l->engine->containers_fd);
}

static void add_any(struct listing *l, const char *entry)
{
	if (str_starts(entry, ".dead-"))
		record_clear_dead(l->engine, entry);
	if (is_id(entry))
		add_row(l, entry);
}

static int add_rows(struct listing *l, int folder_fd,
		    void (*add)(struct listing *l, const char *entry), struct err *e)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(e, "list the containers");

	for (struct dirent *entry; (entry = readdir(dir));)
		add(l, entry->d_name);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct engine_row *x = a, *y = b;

	if (x->container.created_ns == y->container.created_ns)
		return strcmp(x->container.id, y->container.id);
	return x->container.created_ns < y->container.created_ns ? 1 : -1;
}

static void keep_newest(struct engine_rows *rows, int64_t count)
{
	while (count > 0 && rows->count > (size_t)count)
		container_clear(&rows->items[--rows->count].container);
}

int engine_list(struct engine *engine, const struct list_options *o, struct engine_rows *ret,
		struct err *e)
{
	own_clear(filter_clear) struct filter filter = { 0 };
	struct engine_rows rows = { 0 };

	int r = filter_make(&filter, engine, &o->filter, e);
	if (r < 0)
		return r;
	own_free char *run = mem_format("%s/containers", engine->store->run);
	bool all = o->all || o->last > 0 || filter.all;
	struct listing listing = { o->quiet, engine, &filter, all, &rows, run };
	r = add_rows(&listing, engine->run_fd, add_running, e);
	if (r == 0 && all)
		r = add_rows(&listing, engine->containers_fd, add_any, e);
	if (r < 0) {
		engine_rows_clear(&rows);
		return r;
	}
	if (rows.count)
		qsort(rows.items, rows.count, sizeof(*rows.items), newest_first);
	keep_newest(&rows, o->last);
	*ret = rows;
	return 0;
}
