/* `holm stats`. */
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
#include "engine/engine.h"
#include "engine/stats.h"

enum { BUFFER_BYTES = 64 << 10 };

struct stats_options {
	bool all;
	bool no_stream;
	bool no_trunc;
	char *format;
	int64_t interval;
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
#undef OPTIONS

static const char *const headers[] = {
	"ID",        "CONTAINER ID", "Container", "CONTAINER", "Name",
	"NAME",      "CPUPerc",      "CPU %",     "MemUsage",  "MEM USAGE / LIMIT",
	"MemPerc",   "MEM %",        "NetIO",     "NET I/O",   "BlockIO",
	"BLOCK I/O", "PIDs",         "PIDS",      NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"
		 "{{.BlockIO}}\t{{.PIDs}}",
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

static int print(const struct engine_stats *stats, const struct stats_options *o, struct err *e)
{
	own_json struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < stats->count; i++)
		json_object_array_add(rows, make_row(&stats->items[i], o->no_trunc));
	return cli_format_rows(&list, rows, o->format, false, e);
}

/* In one write, so that the table is never seen half: from the upper left corner on. */
static int stream(struct engine *engine, const struct stats_options *o, const struct strv *names,
		  struct engine_stats *stats, struct err *e)
{
	bool terminal = isatty(STDOUT_FILENO);

	setvbuf(stdout, mem_new(1, BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
	for (;;) {
		const struct timespec pause = { .tv_sec = o->interval ? o->interval : 1 };
		int r = engine_stats_sample(engine, names, o->all, stats, e);
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
	r = engine_stats_sample(engine, args, o->all, &stats, e);
	return r < 0 ? r : print(&stats, o, e);
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
	.run = run_stats,
};
