#include "engine/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "monitor/state.h"

void engine_stats_clear(struct engine_stats *stats)
{
	for (size_t i = 0; i < stats->count; i++) {
		free(stats->items[i].name);
		if (stats->items[i].cpu_fd >= 0)
			close(stats->items[i].cpu_fd);
	}
	free(stats->items);
	*stats = (struct engine_stats){ 0 };
}

static void add(struct engine_stats *to, struct container *c)
{
	to->items = mem_resize(to->items, to->count + 1, sizeof(*to->items));
	struct engine_stats_row *row = &to->items[to->count++];
	*row = (struct engine_stats_row){ .cpu_fd = -1 };
	row->name = take_ptr(&c->name);
	strcpy(row->id, c->id);
	row->disk_limit = (uint64_t)c->storage.size;
	if (c->pod.id)
		strcpy(row->pod, c->pod.id);
}

/* A live table warns once. */
static int add_all(struct engine *engine, bool all, bool quiet, struct engine_stats *to,
		   struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options o = { .all = all, .quiet = quiet };

	int r = engine_list(engine, &o, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		add(to, &rows.items[i].container);
	return r;
}

static int add_named(struct engine *engine, const char *name, struct engine_stats *to,
		     struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r == 0)
		add(to, &c);
	return r;
}

static uint64_t host_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : UINT64_MAX;
}

/* Not being able to look is no reason to fail. */
static void read_disk(struct engine *engine, struct engine_stats_row *row)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;
	struct engine_quota quota;
	struct err ignored;

	if (!row->disk_limit || engine_load(engine, row->id, &c, &state, &ignored) < 0)
		return;
	own_fd int folder = record_open(engine, row->id, &ignored);
	if (folder >= 0 && engine_quota_read(&c, &state, folder, &quota, &ignored) == 0)
		row->disk_used = quota.used;
}

/* One that ends meanwhile has nothing. */
static void read_row(struct engine *engine, struct engine_stats_row *row, uint64_t most)
{
	own_clear(monitor_state_clear) struct monitor_state state = { 0 };
	struct err ignored;

	own_fd int run_fd =
		openat(engine->run_fd, row->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0 || monitor_state_alive(run_fd) <= 0 ||
	    monitor_state_read_whole_at(&state, run_fd, &ignored) < 0 ||
	    runtime_stats_brief_read(&row->brief, &row->cpu_fd, &state.container, &ignored) < 0)
		return;
	row->live = true;
	row->sampled_ns = moment_monotonic_ns();
	row->memory_limit = row->brief.memory_limit < most ? row->brief.memory_limit : most;
}

static const struct engine_stats_row *find(const struct engine_stats *in, const char *id)
{
	for (size_t i = 0; i < in->count; i++)
		if (strcmp(in->items[i].id, id) == 0)
			return &in->items[i];
	return NULL;
}

static double percent(uint64_t from_ns, uint64_t to_ns, int64_t span_ns)
{
	return span_ns > 0 && to_ns > from_ns ? 100.0 * (double)(to_ns - from_ns) / (double)span_ns
					      : 0;
}

static void sample_again(struct engine_stats_row *row)
{
	int64_t now = moment_monotonic_ns();
	uint64_t cpu_ns = runtime_stats_brief_cpu_ns(row->cpu_fd);

	row->cpu_percent = percent(row->brief.cpu_ns, cpu_ns, now - row->sampled_ns);
	if (cpu_ns)
		row->brief.cpu_ns = cpu_ns;
	row->sampled_ns = now;
}

/* Those that were there before have their first sample from then; the others get a second one. */
static void fill_cpu(struct engine_stats *now, const struct engine_stats *before)
{
	const struct timespec gap = { .tv_nsec = ENGINE_STATS_GAP_MS * 1000000 };
	bool waited = false;

	for (size_t i = 0; i < now->count; i++) {
		struct engine_stats_row *row = &now->items[i];
		const struct engine_stats_row *old = find(before, row->id);
		if (row->cpu_fd < 0)
			continue;
		if (old && old->live) {
			row->cpu_percent = percent(old->brief.cpu_ns, row->brief.cpu_ns,
						   row->sampled_ns - old->sampled_ns);
			continue;
		}
		if (!waited)
			nanosleep(&gap, NULL);
		waited = true;
		sample_again(row);
	}
}

int engine_stats_sample(struct engine *engine, const struct strv *names, bool all,
			struct engine_stats *stats, struct err *e)
{
	struct engine_stats now = { 0 };
	uint64_t most = host_memory();

	int r = names->count ? 0 : add_all(engine, all, stats->count > 0, &now, e);
	for (size_t i = 0; r == 0 && i < names->count; i++)
		r = add_named(engine, names->items[i], &now, e);
	if (r < 0) {
		engine_stats_clear(&now);
		return r;
	}
	for (size_t i = 0; i < now.count; i++) {
		read_row(engine, &now.items[i], most);
		read_disk(engine, &now.items[i]);
	}
	fill_cpu(&now, stats);
	engine_stats_clear(stats);
	*stats = now;
	return 0;
}
