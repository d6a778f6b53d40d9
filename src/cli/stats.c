/* `holm stats`, `holm pod stats`. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "engine/pods.h"
#include "engine/stats.h"

enum { BUFFER_BYTES = 64 << 10 };

struct stats_options {
	bool all;
	bool no_stream;
	bool no_trunc;
	char *format;
	int64_t interval;
	bool pods; /* the arguments are pods; none: all. No option */
};

#define OPTIONS struct stats_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also those that do not run" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "interval", 'i', OPTION_COUNT(interval), "SECONDS", "how often to look (1)" },
	{ "no-stream", 0, OPTION_FLAG(no_stream), NULL, "look once" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids" },
	{ 0 },
};

static const struct option pod_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "of all pods, as without names" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "interval", 'i', OPTION_COUNT(interval), "SECONDS", "how often to look (1)" },
	{ "no-stream", 0, OPTION_FLAG(no_stream), NULL, "look once" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",        "CONTAINER ID", "Container", "CONTAINER", "Name",
	"NAME",      "CPUPerc",      "CPU %",     "MemUsage",  "MEM USAGE / LIMIT",
	"MemPerc",   "MEM %",        "NetIO",     "NET I/O",   "BlockIO",
	"BLOCK I/O", "PIDs",         "PIDS",      "Disk",      "DISK USAGE / LIMIT",
	NULL,
};

#define COLUMNS                                                                                    \
	"{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"              \
	"{{.BlockIO}}\t{{.PIDs}}"

/* Where one of them has a quota. */
static const struct cli_format_list disk_list = {
	.table = COLUMNS "\t{{.Disk}}",
	.headers = headers,
	.id = "ID",
};

static const struct cli_format_list list = {
	.table = COLUMNS,
	.headers = headers,
	.id = "ID",
};

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

static void add_percent(struct json_object *row, const char *key, double percent)
{
	own_free char *text = mem_format("%.2f%%", percent);

	add_text(row, key, text);
}

static void add_pair(struct json_object *row, const char *key,
		     void (*format)(char to[16], uint64_t bytes), uint64_t a, uint64_t b)
{
	char first[16], second[16];

	format(first, a);
	format(second, b);
	own_free char *text = mem_format("%s / %s", first, second);
	add_text(row, key, text);
}

static struct json_object *make_row(const struct engine_stats_row *from, bool no_trunc)
{
	struct json_object *row = json_object_new_object();
	const struct runtime_stats_brief *brief = &from->brief;
	double limit = (double)from->memory_limit;
	own_free char *id =
		mem_text_n(from->id, no_trunc ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT);
	own_free char *pids = mem_format("%llu", (unsigned long long)brief->pids);

	add_pair(row, "BlockIO", number_format_bytes, brief->read_bytes, brief->written_bytes);
	add_percent(row, "CPUPerc", from->cpu_percent);
	add_text(row, "Container", from->name);
	add_text(row, "ID", id);
	add_percent(row, "MemPerc", limit > 0 ? 100 * (double)brief->memory / limit : 0);
	add_pair(row, "MemUsage", number_format_binary, brief->memory, from->memory_limit);
	add_text(row, "Name", from->name);
	add_pair(row, "NetIO", number_format_bytes, brief->received_bytes, brief->sent_bytes);
	add_text(row, "PIDs", pids);
	return row;
}

/* ---- of pods ---- */

static const char *const pod_headers[] = {
	"Pod",      "POD",   "CID",   "CID",      "Name",
	"NAME",     "CPU",   "CPU %", "MemUsage", "MEM USAGE / LIMIT",
	"Mem",      "MEM %", "NetIO", "NET IO",   "BlockIO",
	"BLOCK IO", "PIDS",  "PIDS",  NULL,
};

static const struct cli_format_list pod_list = {
	.table = "{{.Pod}}\t{{.CID}}\t{{.Name}}\t{{.CPU}}\t{{.MemUsage}}\t{{.Mem}}\t{{.NetIO}}\t"
		 "{{.BlockIO}}\t{{.PIDS}}",
	.headers = pod_headers,
	.id = "CID",
};

/* podman's names for what stats calls otherwise. */
static void name_for_pods(struct json_object *row)
{
	static const char *const names[][2] = {
		{ "ID", "CID" },
		{ "CPUPerc", "CPU" },
		{ "MemPerc", "Mem" },
		{ "PIDs", "PIDS" },
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct json_object *value = json_object_object_get(row, names[i][0]);
		json_object_object_add(row, names[i][1], json_object_get(value));
		json_object_object_del(row, names[i][0]);
	}
	json_object_object_del(row, "Container");
}

static void add_running(struct strv *to, const struct engine_pod *pod)
{
	if (container_state_live(&pod->pod->state))
		strv_add(to, pod->pod->container.id);
	for (size_t i = pod->count; i-- > 0;)
		if (container_state_live(&pod->members[i]->state))
			strv_add(to, pod->members[i]->container.id);
}

/* Who runs in these pods now, or in all. */
static int list_members(struct strv *to, struct engine *engine, const struct strv *names,
			struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	int r = names->count ? 0 : engine_pods_list(engine, &pods, e);

	for (size_t i = 0; r == 0 && i < pods.items.count; i++)
		add_running(to, &pods.items.items[i]);
	for (size_t i = 0; r == 0 && i < names->count; i++) {
		own_clear(engine_pods_clear) struct engine_pods all = { 0 };
		const struct engine_pod *pod;
		r = engine_pods_find(engine, names->items[i], &all, &pod, e);
		if (r == 0)
			add_running(to, pod);
	}
	return r;
}

static int sample_pods(struct engine *engine, const struct strv *names, struct engine_stats *stats,
		       struct err *e)
{
	int r;

	do {
		own_clear(strv_clear) struct strv members = { 0 };
		r = list_members(&members, engine, names, e);
		if (r < 0)
			return r;
		if (!members.count) {
			engine_stats_clear(stats);
			return 0;
		}
		r = engine_stats_sample(engine, &members, false, stats, e);
	} while (r < 0 && e->kind == ERR_NOT_FOUND); /* it was removed in between */
	return r;
}

/* ---- both ---- */

static int sample(struct engine *engine, const struct stats_options *o, const struct strv *names,
		  struct engine_stats *stats, struct err *e)
{
	return o->pods ? sample_pods(engine, names, stats, e)
		       : engine_stats_sample(engine, names, o->all, stats, e);
}

/* docker's rows know nothing of it: only where one of them has a quota. */
static void add_disk(struct json_object *row, const struct engine_stats_row *from)
{
	if (from->disk_limit)
		add_pair(row, "Disk", number_format_binary, from->disk_used, from->disk_limit);
	else
		add_text(row, "Disk", "--");
}

static int print(const struct engine_stats *stats, const struct stats_options *o, struct err *e)
{
	own_json struct json_object *rows = json_object_new_array();
	bool disks = false;

	for (size_t i = 0; i < stats->count; i++)
		disks |= stats->items[i].disk_limit > 0;
	for (size_t i = 0; i < stats->count; i++) {
		const struct engine_stats_row *from = &stats->items[i];
		struct json_object *row = make_row(from, o->no_trunc);
		json_object_array_add(rows, row);
		if (disks)
			add_disk(row, from);
		if (!o->pods)
			continue;
		own_free char *pod = mem_text_n(from->pod, o->no_trunc ? CONTAINER_ID_LENGTH
								       : CONTAINER_ID_SHORT);
		name_for_pods(row);
		add_text(row, "Pod", pod);
	}
	return cli_format_rows(o->pods ? &pod_list
			       : disks ? &disk_list
				       : &list,
			       rows, o->format, false, e);
}

/* In one write, so that the table is never seen half: from the upper left corner on. */
static int stream(struct engine *engine, const struct stats_options *o, const struct strv *names,
		  struct engine_stats *stats, struct err *e)
{
	bool terminal = isatty(STDOUT_FILENO);

	setvbuf(stdout, mem_new(1, BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
	for (;;) {
		const struct timespec pause = { .tv_sec = o->interval ? o->interval : 1 };
		int r = sample(engine, o, names, stats, e);
		if (r == 0 && terminal)
			fputs("\033[H\033[J", stdout);
		if (r == 0)
			r = print(stats, o, e);
		if (r < 0)
			return r;
		if (fflush(stdout) != 0)
			return err_sys(e, "write to the standard output");
		nanosleep(&pause, NULL);
	}
}

static int run_stats(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct stats_options *o = options;
	own_clear(engine_stats_clear) struct engine_stats stats = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	if (!o->no_stream)
		return stream(engine, o, args, &stats, e);
	r = sample(engine, o, args, &stats, e);
	return r < 0 ? r : print(&stats, o, e);
}

static int run_pod_stats(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct stats_options *o = options;

	if (o->all && args->count)
		return err_set(e, ERR_INVALID, "--all and names exclude each other");
	o->pods = true;
	return run_stats(cli, options, args, e);
}

const struct cli_command cli_stats = {
	.names = "stats|container stats",
	.section = "Containers",
	.arguments = "[OPTIONS] [CONTAINER...]",
	.summary = "Show what containers use, as it changes",
	.options = table,
	.size = sizeof(struct stats_options),
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_LATEST,
	.run = run_stats,
};

const struct cli_command cli_pod_stats = {
	.names = "pod stats",
	.section = "Pods",
	.arguments = "[OPTIONS] [POD...]",
	.summary = "Show what the containers of pods use, as it changes",
	.options = pod_table,
	.size = sizeof(struct stats_options),
	.args_max = CLI_ARGS_ANY,
	.values = "pod:",
	.run = run_pod_stats,
};
