/* `holm verify`: what a start would refuse, without a start. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/verify.h"

struct verify_options {
	bool all;
	bool quiet;
};

#define OPTIONS struct verify_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all containers" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "the exit status alone" },
	{ 0 },
};
#undef OPTIONS

static void print_problem(void *arg, const char *name, const struct err *problem)
{
	const struct verify_options *o = arg;

	if (o->quiet)
		return;
	fputs(name, stdout);
	fputs(": ", stdout);
	cli_print_clean(stdout, problem->text);
	putchar('\n');
	if (*problem->hint) {
		fputs("  ", stdout);
		cli_print_clean(stdout, problem->hint);
		putchar('\n');
	}
}

static int add_all(struct engine *engine, struct strv *names, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options everything = { .all = true };

	int r = engine_list(engine, &everything, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		strv_add(names, rows.items[i].container.name);
	return r < 0 ? r : engine_rows_whole(&rows, e);
}

/* The status of the exit: 1 where there is something to tell. */
static int verify_each(struct cli *cli, struct engine *engine, struct verify_options *o,
		       const struct strv *names)
{
	int status = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct err e;
		int found = engine_verify(engine, names->items[i], print_problem, o, &e);
		if (found < 0)
			cli_command_error(cli, names->items[i], &e);
		else if (!found && !o->quiet)
			printf("%s: a start would find all that it needs.\n", names->items[i]);
		if (found)
			status = 1;
	}
	return status;
}

static int run_verify(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct verify_options *o = options;
	struct engine *engine;

	if (!o->all && !args->count) {
		err_set(e, ERR_INVALID, "no container is named");
		return err_hint(e, "--all looks at each");
	}
	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	strv_add_all(&names, args);
	if (o->all)
		r = add_all(engine, &names, e);
	return r < 0 ? r : verify_each(cli, engine, o, &names);
}

const struct cli_command cli_verify = {
	.names = "verify|container verify",
	.section = "Containers",
	.arguments = "[OPTIONS] [CONTAINER...]",
	.summary = "Tell all that a start of containers would refuse, without starting them",
	.options = table,
	.size = sizeof(struct verify_options),
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_verify,
};
