/* create.c - `create ID`: all of a container but its command, which start runs. */
#include "base/err.h"
#include "base/own.h"
#include "runtime_cli/command.h"
#include "runtime_cli/launch.h"

#define OPTIONS struct runtime_cli_launch_options
static const struct option table[] = { RUNTIME_CLI_LAUNCH_OPTIONS, { 0 } };
#undef OPTIONS

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(runtime_cli_launch_clear) struct runtime_cli_launch launch =
		RUNTIME_CLI_LAUNCH_INIT;

	int r = runtime_cli_launch(&launch, cli, options, args->items[0], true, e);
	if (r < 0)
		return r;
	r = runtime_detach(&launch.process, e);
	if (r < 0)
		runtime_cli_launch_undo(&launch, cli);
	return r;
}

const struct runtime_cli_command runtime_cli_create = {
	.name = "create",
	.arguments = "[OPTIONS] ID",
	.summary = "make a container; start runs its command",
	.options = table,
	.size = sizeof(struct runtime_cli_launch_options),
	.args_min = 1,
	.args_max = 1,
	.sealed = true,
	.run = run,
};
