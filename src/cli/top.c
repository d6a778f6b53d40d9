/* `holm top`, `holm pod top`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "engine/pods.h"

enum { COLUMN_WIDTH = 20, BETWEEN = 3 }; /* docker's */

static const char *cell(struct json_object *row, size_t column)
{
	return json_object_get_string(json_object_array_get_idx(row, column));
}

static size_t wider(size_t width, struct json_object *row, size_t column)
{
	size_t wanted = cli_print_width(cell(row, column)) + BETWEEN;

	return wanted > width ? wanted : width;
}

static void print_row(struct json_object *row, const size_t *widths)
{
	size_t last = json_object_array_length(row) - 1;

	for (size_t i = 0; i <= last; i++) {
		cli_print_clean(stdout, cell(row, i));
		if (i < last)
			printf("%*s", (int)(widths[i] - cli_print_width(cell(row, i))), "");
	}
	putchar('\n');
}

static void print_table(struct json_object *table)
{
	struct json_object *titles = json_object_object_get(table, "Titles");
	struct json_object *processes = json_object_object_get(table, "Processes");
	size_t columns = json_object_array_length(titles);
	own_free size_t *widths = mem_new(columns, sizeof(*widths));

	for (size_t i = 0; i < columns; i++) {
		widths[i] = wider(COLUMN_WIDTH, titles, i);
		for (size_t p = 0; p < json_object_array_length(processes); p++)
			widths[i] = wider(widths[i], json_object_array_get_idx(processes, p), i);
	}
	print_row(titles, widths);
	for (size_t p = 0; p < json_object_array_length(processes); p++)
		print_row(json_object_array_get_idx(processes, p), widths);
}

typedef int top(struct engine *engine, const char *name, const struct strv *ps_args,
		struct json_object **ret, struct err *e);

static int show(struct cli *cli, const struct strv *args, top *f, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };
	own_json struct json_object *table = NULL;
	struct engine *engine;

	for (size_t i = 1; i < args->count; i++)
		strv_add(&words, args->items[i]);
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = f(engine, args->items[0], &words, &table, e);
	if (r == 0)
		print_table(table);
	return r;
}

static int run_top(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)options;
	return show(cli, args, engine_top, e);
}

static int run_pod_top(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)options;
	return show(cli, args, engine_pods_top, e);
}

const struct cli_command cli_top = {
	.names = "top|container top",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [PS OPTIONS]",
	.summary = "Show the processes of a container",
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_LATEST,
	.run = run_top,
};

const struct cli_command cli_pod_top = {
	.names = "pod top",
	.section = "Pods",
	.arguments = "POD [PS OPTIONS]",
	.summary = "Show the processes of all containers of a pod",
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "pod:",
	.run = run_pod_top,
};
