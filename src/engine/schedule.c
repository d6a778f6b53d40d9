#include "engine/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/shape.h"
#include "engine/record.h"
#include "engine/snapshot.h"
#include "engine/span.h"

#define FILE_NAME "schedule.json"

enum { SCHEDULE_BYTES_MAX = 4096 };

static const struct shape schedule_shape = {
	sizeof(struct schedule),
	(const struct shape_field[]){
		{ "every", SHAPE_STRING, offsetof(struct schedule, every) },
		{ "expiry", SHAPE_STRING, offsetof(struct schedule, expiry) },
		{ 0 },
	},
};

void schedule_clear(struct schedule *schedule)
{
	shape_clear(&schedule_shape, schedule);
}

static int check(const struct schedule *schedule, struct err *e)
{
	int64_t ignored;

	int r = schedule->every ? engine_span_parse(&ignored, schedule->every, e) : 0;
	if (r < 0)
		return r;
	r = schedule->expiry ? engine_span_parse(&ignored, schedule->expiry, e) : 0;
	return r < 0 ? err_add(e, "--expiry") : 0;
}

int engine_schedule_set(struct engine *engine, const char *container,
			const struct schedule *schedule, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = check(schedule, e);
	if (r == 0)
		r = engine_find(engine, container, id, e);
	if (r < 0)
		return r;
	own_fd int folder = record_lock(engine, id, true, e);
	if (folder < 0)
		return folder;
	if (schedule->every)
		return shape_write_at(&schedule_shape, folder, FILE_NAME, schedule, e);
	return unlinkat(folder, FILE_NAME, 0) < 0 && errno != ENOENT
		       ? err_sys(e, "remove the schedule")
		       : 0;
}

int engine_schedule_read(struct engine *engine, const char *container, struct schedule *ret,
			 struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, container, id, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("%s/" FILE_NAME, id);
	r = shape_read_at(&schedule_shape, engine->containers_fd, path, SCHEDULE_BYTES_MAX, ret, e);
	return r == -ENOENT ? 0 : r;
}

/* ---- doing what is due ---- */

struct run {
	struct engine *engine;
	engine_report *report;
	void *arg;
	int64_t now_ns;
	int failed;
	bool removed;
};

static void tell(struct run *run, const struct container *c, const char *what, const struct err *e)
{
	own_free char *text = mem_format("%s %s", c->name, what);

	run->failed += e != NULL;
	run->report(run->arg, text, e);
}

static void remove_expired(struct run *run, const struct container *c,
			   const struct snapshots *snapshots)
{
	for (size_t i = 0; i < snapshots->count; i++) {
		const struct snapshot *s = &snapshots->items[i];
		struct err e;
		if (!s->expires_ns || s->expires_ns > run->now_ns)
			continue;
		bool failed = engine_snapshot_remove(run->engine, c->id, s->name, &e) < 0;
		run->removed |= !failed;
		tell(run, c, s->name, failed ? &e : NULL);
	}
}

/* The oldest are first. */
static int64_t newest_scheduled(const struct snapshots *snapshots)
{
	for (size_t i = snapshots->count; i-- > 0;)
		if (snapshots->items[i].scheduled)
			return snapshots->items[i].created_ns;
	return 0;
}

static void take_due(struct run *run, const struct container *c, const struct snapshots *snapshots)
{
	own_clear(schedule_clear) struct schedule schedule = { 0 };
	own_clear(snapshot_clear) struct snapshot made = { 0 };
	int64_t span_ns = 0;
	struct err e;

	int r = engine_schedule_read(run->engine, c->id, &schedule, &e);
	if (r == 0 && !schedule.every)
		return;
	if (r == 0)
		r = engine_span_parse(&span_ns, schedule.every, &e);
	if (r == 0 && newest_scheduled(snapshots) + span_ns > run->now_ns)
		return;
	const struct snapshot_options o = { .expiry = schedule.expiry, .scheduled = true };
	if (r == 0)
		r = engine_snapshot_create(run->engine, c->id, NULL, &o, &made, &e);
	tell(run, c, r < 0 ? "" : made.name, r < 0 ? &e : NULL);
}

static void run_one(struct run *run, const struct container *c)
{
	own_clear(snapshots_clear) struct snapshots snapshots = { 0 };
	struct err e;

	if (engine_snapshot_list(run->engine, c->id, &snapshots, &e) < 0) {
		if (e.kind != ERR_NOT_FOUND)
			tell(run, c, "", &e);
		return;
	}
	take_due(run, c, &snapshots);
	remove_expired(run, c, &snapshots);
}

int engine_schedule_run(struct engine *engine, engine_report *report, void *arg, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };
	struct run run = {
		.engine = engine, .report = report, .arg = arg, .now_ns = moment_now_ns()
	};

	int r = engine_list(engine, &all, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		run_one(&run, &rows.items[i].container);
	if (run.removed)
		engine_snapshot_collect(engine);
	return r < 0 ? r : run.failed;
}
