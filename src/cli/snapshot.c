/* `holm snapshot create`, `ls`, `inspect`, `diff`, `rename` and `rm`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/format.h"
#include "engine/engine.h"
#include "engine/lower.h"
#include "engine/schedule.h"
#include "engine/snapshot.h"

struct cli_snapshot {
	struct snapshot_options snapshot;
	struct schedule schedule;
	char *format;
	bool quiet;
};

#define OPTIONS struct cli_snapshot
static const struct option create_table[] = {
	{ "comment", 0, OPTION_STRING(snapshot.comment), "TEXT", "what it is for" },
	{ "expiry", 0, OPTION_STRING(snapshot.expiry), "SPAN",
	  "snapshot run-due may remove it after 12h, 7d, 2w" },
	{ 0 },
};

static const struct option list_table[] = {
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the names alone" },
	{ 0 },
};

static const struct option schedule_table[] = {
	{ "expiry", 0, OPTION_STRING(schedule.expiry), "SPAN", "they go after 12h, 7d, 2w" },
	{ 0 },
};

static const struct option inspect_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ 0 },
};
#undef OPTIONS

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_snapshot *o = options;
	own_clear(snapshot_clear) struct snapshot made = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_snapshot_create(engine, args->items[0],
					   args->count > 1 ? args->items[1] : NULL, &o->snapshot,
					   &made, e);
	if (r == 0)
		puts(made.name);
	return r;
}

/* ---- ls, inspect ---- */

static const char *const headers[] = {
	"Name",  "NAME",    "CreatedSince", "CREATED", "Expires", "EXPIRES", "State",
	"STATE", "Comment", "COMMENT",      "Created", "CREATED", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Name}}\t{{.CreatedSince}}\t{{.Expires}}\t{{.State}}\t{{.Comment}}",
	.headers = headers,
	.id = "Name",
};

static void add_text(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, json_object_new_string(value ? value : ""));
}

static void add_moment(struct json_object *to, const char *key, int64_t ns)
{
	char text[MOMENT_TEXT_SIZE] = "";

	if (ns)
		moment_format(text, ns);
	add_text(to, key, text);
}

/* "in 3 days", "3 days ago" */
static void add_span(struct json_object *to, const char *key, const char *before, int64_t ns,
		     const char *behind)
{
	char span[32];

	moment_format_span(span, ns < 0 ? 0 : ns);
	own_free char *text = mem_format("%s%s%s", before, span, behind);
	add_text(to, key, text);
}

static struct json_object *row_of(const struct snapshot *snapshot)
{
	struct json_object *row = json_object_new_object();
	int64_t now = moment_now_ns();

	add_text(row, "Name", snapshot->name);
	add_text(row, "Comment", snapshot->comment);
	add_moment(row, "Created", snapshot->created_ns);
	add_span(row, "CreatedSince", "", now - snapshot->created_ns, " ago");
	if (!snapshot->expires_ns)
		add_text(row, "Expires", "never");
	else if (snapshot->expires_ns <= now)
		add_text(row, "Expires", "is due");
	else
		add_span(row, "Expires", "in ", snapshot->expires_ns - now, "");
	add_text(row, "State", snapshot->live ? "running" : "stopped");
	return row;
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_snapshot *o = options;
	own_clear(snapshots_clear) struct snapshots all = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_snapshot_list(engine, args->items[0], &all, e);
	for (size_t i = 0; r == 0 && i < all.count; i++)
		json_object_array_add(rows, row_of(&all.items[i]));
	return r < 0 ? r : cli_format_rows(&list, rows, o->format, o->quiet, e);
}

static struct json_object *object_of(const struct snapshot *snapshot)
{
	own_clear(strv_clear) struct strv layers = { 0 };
	struct json_object *to = json_object_new_object();
	struct json_object *array = json_object_new_array();

	engine_lower_list_frozen(&layers, &snapshot->container);
	for (size_t i = 0; i < layers.count; i++)
		json_object_array_add(array, json_object_new_string(layers.items[i]));
	add_text(to, "Name", snapshot->name);
	add_text(to, "Comment", snapshot->comment);
	add_moment(to, "Created", snapshot->created_ns);
	add_moment(to, "Expires", snapshot->expires_ns);
	json_object_object_add(to, "Scheduled", json_object_new_boolean(snapshot->scheduled));
	json_object_object_add(to, "Running", json_object_new_boolean(snapshot->live));
	json_object_object_add(to, "PausedNanoseconds", json_object_new_int64(snapshot->paused_ns));
	add_text(to, "Image", snapshot->container.image.name);
	json_object_object_add(to, "Layers", array);
	json_object_object_add(to, "Config", shape_write(&container_shape, &snapshot->container));
	return to;
}

static int run_inspect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_snapshot *o = options;
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_snapshot_read(engine, args->items[0], args->items[1], &snapshot, e);
	if (r < 0)
		return r;
	own_json struct json_object *all = json_object_new_array();
	json_object_array_add(all, object_of(&snapshot));
	return cli_format_objects(all, o->format, e);
}

/* ---- diff, rename, rm ---- */

static int run_diff(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(storage_changes_clear) struct storage_changes changes = { 0 };
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_snapshot_diff(engine, args->items[0], args->items[1],
					 args->count > 2 ? args->items[2] : NULL, &changes, e);
	if (r == 0)
		cli_diff_print(&changes);
	return r;
}

static int run_rename(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r
		     : engine_snapshot_rename(engine, args->items[0], args->items[1],
					      args->items[2], e);
}

static int remove_one(struct cli *cli, const char *name, const void *container, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_snapshot_remove(engine, container, name, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 1; i < args->count; i++)
		strv_add(&names, args->items[i]);
	int status = cli_command_each(cli, &names, remove_one, args->items[0]);
	engine_snapshot_collect(engine);
	return status;
}

/* ---- schedule, run-due ---- */

static int show_schedule(struct engine *engine, const char *name, struct err *e)
{
	own_clear(schedule_clear) struct schedule schedule = { 0 };

	int r = engine_schedule_read(engine, name, &schedule, e);
	if (r < 0)
		return r;
	if (!schedule.every)
		puts("none");
	else
		printf("every %s, kept %s\n", schedule.every,
		       schedule.expiry ? schedule.expiry : "for ever");
	return 0;
}

static int run_schedule(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_snapshot *o = options;
	struct schedule schedule = { .expiry = o->schedule.expiry };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0 || args->count == 1)
		return r < 0 ? r : show_schedule(engine, args->items[0], e);
	if (strcmp(args->items[1], "none") != 0)
		schedule.every = args->items[1];
	return engine_schedule_set(engine, args->items[0], &schedule, e);
}

static void report_due(void *arg, const char *name, const struct err *e)
{
	if (e)
		cli_command_error(arg, name, e);
	else
		puts(name);
}

static int run_due(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options, (void)args;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_schedule_run(engine, report_due, cli, e);
	return r > 0 ? 1 : r;
}

const struct cli_command cli_snapshot_schedule = {
	.names = "snapshot schedule",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [EVERY|none]",
	.summary = "Say how often snapshot run-due takes one",
	.options = schedule_table,
	.size = sizeof(struct cli_snapshot),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.run = run_schedule,
};

const struct cli_command cli_snapshot_due = {
	.names = "snapshot run-due",
	.section = "Snapshots",
	.arguments = "",
	.summary = "Take the snapshots that are due, remove those that have expired",
	.run = run_due,
};

const struct cli_command cli_snapshot_create = {
	.names = "snapshot create|snapshot",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [SNAPSHOT]",
	.summary = "Keep what a container has now, to come back to",
	.options = create_table,
	.size = sizeof(struct cli_snapshot),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.run = run_create,
};

const struct cli_command cli_snapshot_list = {
	.names = "snapshot ls|snapshot list",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "List the snapshots of a container",
	.options = list_table,
	.size = sizeof(struct cli_snapshot),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_list,
};

const struct cli_command cli_snapshot_inspect = {
	.names = "snapshot inspect",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER SNAPSHOT",
	.summary = "Show all there is to know of a snapshot, as JSON",
	.options = inspect_table,
	.size = sizeof(struct cli_snapshot),
	.args_min = 2,
	.args_max = 2,
	.values = "container:",
	.run = run_inspect,
};

const struct cli_command cli_snapshot_diff = {
	.names = "snapshot diff",
	.section = "Snapshots",
	.arguments = "CONTAINER SNAPSHOT [SNAPSHOT]",
	.summary = "List what changed since a snapshot, or between two",
	.args_min = 2,
	.args_max = 3,
	.values = "container:",
	.run = run_diff,
};

const struct cli_command cli_snapshot_rename = {
	.names = "snapshot rename",
	.section = "Snapshots",
	.arguments = "CONTAINER SNAPSHOT NAME",
	.summary = "Give a snapshot another name",
	.args_min = 3,
	.args_max = 3,
	.values = "container:",
	.run = run_rename,
};

const struct cli_command cli_snapshot_remove = {
	.names = "snapshot rm|snapshot remove",
	.section = "Snapshots",
	.arguments = "CONTAINER SNAPSHOT [SNAPSHOT...]",
	.summary = "Remove snapshots of a container",
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_remove,
};
