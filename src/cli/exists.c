/* `holm container exists`. */
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/engine.h"

/* The answer is the exit status. */
static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_find(engine, args->items[0], id, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

const struct cli_command cli_exists = {
	.names = "container exists",
	.section = "Containers",
	.arguments = "CONTAINER",
	.summary = "Tell by the exit status whether a container is there",
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_exists,
};
