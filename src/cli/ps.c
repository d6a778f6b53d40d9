/* `holm ps`: containers as docker lists them. */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "engine/engine.h"

enum { COMMAND_WIDTH = 20 }; /* docker's, with its quotes and "…" */

struct ps_options {
	bool all;
	bool latest;
	bool no_trunc;
	bool quiet;
	int64_t last;
	char *format;
	struct strv filter;
};

#define OPTIONS struct ps_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also those that do not run" },
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, id, status, label, ancestor, exited, before, since, volume" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "last", 'n', OPTION_INT(last), "N", "the N newest, running or not" },
	{ "latest", 'l', OPTION_FLAG(latest), NULL, "the newest, running or not" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids and commands" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",      "CONTAINER ID", "Names",         "NAMES",      "Image",    "IMAGE",  "Command",
	"COMMAND", "CreatedAt",    "CREATED AT",    "RunningFor", "CREATED",  "State",  "STATE",
	"Status",  "STATUS",       "Ports",         "PORTS",      "Labels",   "LABELS", "Mounts",
	"MOUNTS",  "LocalVolumes", "LOCAL VOLUMES", "Networks",   "NETWORKS", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
		 "{{.Names}}",
	.headers = headers,
	.id = "ID",
};

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

static void add_command(struct json_object *row, const struct container_process *process, bool full)
{
	own_clear(strv_clear) struct strv words = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	strv_add_all(&words, &process->entrypoint);
	strv_add_all(&words, &process->command);
	own_free char *line = strv_join(&words, " ");
	size_t length = strlen(line);

	if (!full && length > COMMAND_WIDTH) {
		length = COMMAND_WIDTH - 1;
		while (length && ((unsigned char)line[length] & 0xc0) == 0x80)
			length--;
		str_addf(&text, "\"%.*s\xe2\x80\xa6\"", (int)length, line);
	} else {
		str_addf(&text, "\"%s\"", line);
	}
	add_text(row, "Command", text.text);
}

static void add_times(struct json_object *row, const struct container *c, int64_t now)
{
	char at[MOMENT_TEXT_SIZE], span[32];

	moment_format(at, c->created_ns);
	add_text(row, "CreatedAt", at);
	moment_format_span(span, now - c->created_ns);
	own_free char *ago = mem_format("%s ago", span);
	add_text(row, "RunningFor", ago);
}

static void add_labels(struct json_object *row, const struct shape_map *labels)
{
	own_clear(strv_clear) struct strv all = { 0 };

	for (size_t i = 0; i < labels->count; i++)
		strv_addf(&all, "%s=%s", labels->items[i].key, labels->items[i].value);
	own_free char *text = strv_join(&all, ",");
	add_text(row, "Labels", text);
}

static void add_mounts(struct json_object *row, const struct container_storage *storage)
{
	own_clear(strv_clear) struct strv all = { 0 };
	own_clear(str_clear) struct str volumes = { 0 };
	size_t local = 0;

	for (size_t i = 0; i < storage->mounts.count; i++) {
		const struct container_mount *m = &storage->mounts.items[i];
		local += str_equal(m->type, "volume");
		strv_add(&all, m->name ? m->name : m->source ? m->source : m->target);
	}
	own_free char *text = strv_join(&all, ",");
	add_text(row, "Mounts", text);
	str_addf(&volumes, "%zu", local);
	add_text(row, "LocalVolumes", volumes.text);
}

static struct json_object *make_row(const struct engine_row *from, bool full, int64_t now)
{
	const struct container *c = &from->container;
	struct json_object *row = json_object_new_object();
	char status[64];

	json_object_object_add(
		row, "ID",
		json_object_new_string_len(c->id, full ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT));
	add_text(row, "Names", c->name);
	add_text(row, "Image", c->image.name ? c->image.name : "");
	add_command(row, &c->process, full);
	add_times(row, c, now);
	container_state_describe(status, &from->state, now);
	add_text(row, "State", container_status_name(from->state.status));
	add_text(row, "Status", status);
	add_text(row, "Ports", "");
	add_labels(row, &c->labels);
	add_mounts(row, &c->storage);
	add_text(row, "Networks", c->network.mode ? c->network.mode : "");
	return row;
}

static int check(struct ps_options *o, struct list_options *ret, struct err *e)
{
	if (o->last < 0)
		return err_set(e, ERR_INVALID, "--last: '%lld' is not a number of containers",
			       (long long)o->last);
	ret->last = o->latest ? 1 : o->last;
	ret->all = o->all || ret->last;
	ret->filter = o->filter;
	return 0;
}

static int run_ps(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct ps_options *o = options;
	struct list_options asked = { 0 };
	struct engine_rows rows = { 0 };
	struct engine *engine;
	int64_t now = moment_now_ns();

	(void)args;
	int r = check(o, &asked, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_list(engine, &asked, &rows, e);
	if (r < 0)
		return r;
	own_json struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < rows.count; i++)
		json_object_array_add(array, make_row(&rows.items[i], o->no_trunc, now));
	engine_rows_clear(&rows);
	return cli_format_rows(&list, array, o->format, o->quiet, e);
}

const struct cli_command cli_ps = {
	.names = "ps|ls|container ls|container list|container ps",
	.section = "Containers",
	.arguments = "[OPTIONS]",
	.summary = "List containers",
	.options = table,
	.size = sizeof(struct ps_options),
	.run = run_ps,
};
