/* `holm rename`. */
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/engine.h"

static int run_rename(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_rename(engine, args->items[0], args->items[1], e);
}

const struct cli_command cli_rename = {
	.names = "rename|container rename",
	.section = "Containers",
	.arguments = "CONTAINER NAME",
	.summary = "Give a container another name",
	.args_min = 2,
	.args_max = 2,
	.values = "container:",
	.run = run_rename,
};
