/* ps.c - `ps ID [PS ARGUMENTS]`: the container's processes. As JSON a list of their ids; as a table
 * what ps(1) of the host says of them. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/ps.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

struct ps_options {
	char *format;
};

#define OPTIONS struct ps_options
static const struct option table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "table (the default) or json",
	  "table|json" },
	{ 0 },
};
#undef OPTIONS

struct pids {
	pid_t *items;
	size_t count;
};

static void print_json(const struct pids *pids)
{
	own_json struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < pids->count; i++)
		json_object_array_add(array, json_object_new_int(pids->items[i]));
	puts(json_text(array));
}

static int print_table(const struct pids *pids, const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 }, lines = { 0 };

	for (size_t i = 1; i < args->count; i++)
		strv_add(&words, args->items[i]);
	int r = ps_lines(&lines, pids->items, pids->count, &words, e);
	for (size_t i = 0; r == 0 && i < lines.count; i++)
		puts(lines.items[i]);
	return r < 0 && e->kind == ERR_UNSUPPORTED ? err_hint(e, "--format json needs none") : r;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct ps_options *o = options;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	struct pids pids = { 0 };

	int r = runtime_cli_record_read(&record, cli, args->items[0], false, e);
	if (r == 0)
		r = runtime_container_list(&pids.items, &pids.count, &record.container, e);
	if (r < 0)
		return r;
	if (str_equal(o->format, "json"))
		print_json(&pids);
	else
		r = print_table(&pids, args, e);
	free(pids.items);
	return r;
}

const struct runtime_cli_command runtime_cli_ps = {
	.name = "ps",
	.arguments = "[OPTIONS] ID [PS ARGUMENTS]",
	.summary = "list a container's processes",
	.options = table,
	.size = sizeof(struct ps_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = RUNTIME_CLI_ARGS_ANY,
	.run = run,
};
