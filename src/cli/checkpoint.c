/* `holm checkpoint create`, `ls` and `rm`: the processes of a container in files. */
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "engine/checkpoint.h"
#include "engine/engine.h"

struct cli_checkpoint {
	struct checkpoint_options checkpoint;
	char *format;
	bool quiet;
};

#define FOLDER_OPTION                                                                              \
	{                                                                                          \
		"checkpoint-dir", 0, OPTION_STRING(checkpoint.folder), "DIR",                      \
			"where it lies, if not with the container", "folder:"                      \
	}

#define OPTIONS struct cli_checkpoint
static const struct option create_table[] = {
	FOLDER_OPTION,
	{ "leave-running", 0, OPTION_FLAG(checkpoint.leave_running), NULL,
	  "let it go on afterwards" },
	{ 0 },
};

static const struct option list_table[] = {
	FOLDER_OPTION,
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the names alone" },
	{ 0 },
};

static const struct option remove_table[] = {
	FOLDER_OPTION,
	{ 0 },
};
#undef OPTIONS

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_checkpoint *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_checkpoint_create(engine, args->items[0], args->items[1], &o->checkpoint,
					     e);
	if (r == 0)
		puts(args->items[1]);
	return r;
}

static const char *const headers[] = { "Name", "CHECKPOINT NAME", NULL };

static const struct cli_format_list list = {
	.table = "{{.Name}}",
	.headers = headers,
	.id = "Name",
};

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_checkpoint *o = options;
	own_clear(strv_clear) struct strv names = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_checkpoint_list(engine, args->items[0], o->checkpoint.folder, &names, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.count; i++) {
		struct json_object *row = json_object_new_object();
		json_object_object_add(row, "Name", json_object_new_string(names.items[i]));
		json_object_array_add(rows, row);
	}
	return cli_format_rows(&list, rows, o->format, o->quiet, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_checkpoint *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	for (size_t i = 1; r == 0 && i < args->count; i++)
		r = engine_checkpoint_remove(engine, args->items[0], args->items[i],
					     o->checkpoint.folder, e);
	return r;
}

const struct cli_command cli_checkpoint_create = {
	.names = "checkpoint create|checkpoint",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER CHECKPOINT",
	.summary = "Store the processes of a container, to go on later",
	.options = create_table,
	.size = sizeof(struct cli_checkpoint),
	.args_min = 2,
	.args_max = 2,
	.values = "container:running",
	.run = run_create,
};

const struct cli_command cli_checkpoint_list = {
	.names = "checkpoint ls|checkpoint list",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "List the checkpoints of a container",
	.options = list_table,
	.size = sizeof(struct cli_checkpoint),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_list,
};

const struct cli_command cli_checkpoint_remove = {
	.names = "checkpoint rm|checkpoint remove",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER CHECKPOINT [CHECKPOINT...]",
	.summary = "Remove checkpoints of a container",
	.options = remove_table,
	.size = sizeof(struct cli_checkpoint),
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_remove,
};
