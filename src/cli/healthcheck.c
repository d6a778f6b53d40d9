/* `holm healthcheck run`: podman's verb. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/engine.h"

static int run_check(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;
	int code;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_health_check(engine, args->items[0], &code, e);
	if (r < 0)
		return r;
	if (code != 0)
		puts("unhealthy");
	return code != 0;
}

const struct cli_command cli_healthcheck = {
	.names = "healthcheck run",
	.section = "Containers",
	.arguments = "CONTAINER",
	.summary =
		"Check the health of a container now: 0 healthy, 1 not, 125 it could not be done",
	.args_min = 1,
	.args_max = 1,
	.values = "container:running",
	.foreground = true,
	.run = run_check,
};
