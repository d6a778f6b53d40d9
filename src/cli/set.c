/* `holm set`: the options of `holm update` as keys, and what a container has of each. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "cli/assign.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/update.h"
#include "engine/engine.h"
#include "engine/settings.h"

struct set_options {
	struct create_options values;
	struct strv file;
};

#define OPTIONS struct set_options
static const struct option table[] = {
	{ "file", 'f', OPTION_STRINGS(file), "FILE", "read such assignments, one a line", "file:" },
	{ 0 },
};
#undef OPTIONS

static int list(struct engine *engine, const char *name, struct err *e)
{
	own_clear(shape_map_clear) struct shape_map settings = { 0 };

	int r = engine_settings(engine, name, &settings, e);
	for (size_t i = 0; r == 0 && i < settings.count; i++) {
		printf("%s=", settings.items[i].key);
		cli_print_clean(stdout, settings.items[i].value);
		putchar('\n');
	}
	return r;
}

/* All is read and understood before anything changes. */
static int read_all(struct set_options *o, const struct strv *args, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->file.count; i++)
		r = cli_assign_file(cli_update_table, o->file.items[i], &o->values, e);
	for (size_t i = 1; r == 0 && i < args->count; i++)
		r = cli_assign(cli_update_table, args->items[i], &o->values, e);
	return r;
}

static int run_set(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct set_options *o = options;
	struct engine *engine;

	int r = read_all(o, args, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0 && (args->count > 1 || o->file.count))
		r = engine_update(engine, args->items[0], &o->values, e);
	else if (r == 0)
		r = list(engine, args->items[0], e);
	create_options_clear(&o->values);
	return r;
}

const struct cli_command cli_set = {
	.names = "set|container set",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [KEY=VALUE...]",
	.summary = "Show limits and other settings of a container, or change them for good",
	.options = table,
	.size = sizeof(struct set_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_set,
};
