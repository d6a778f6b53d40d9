/* `holm rm`. */
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/which.h"
#include "engine/engine.h"

#define OPTIONS struct remove_options
static const struct option table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL,
	  "kill it first if it runs; one that does not exist is no error" },
	{ "volumes", 'v', OPTION_FLAG(volumes), NULL, "its anonymous volumes, too" },
	{ 0 },
};
#undef OPTIONS

static int remove_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_remove(engine, name, options, e);
}

static int run_rm(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, remove_one, options);
}

const struct cli_command cli_rm = {
	.names = "rm|container rm|container remove",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Remove containers",
	.options = table,
	.size = sizeof(struct remove_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.which = CLI_WHICH_MANY | CLI_WHICH_IGNORE,
	.run = run_rm,
};
