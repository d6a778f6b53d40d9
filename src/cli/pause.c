/* `holm pause` and `holm unpause`. */
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/which.h"
#include "engine/engine.h"

static int pause_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_pause(engine, name, e);
}

static int unpause_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_unpause(engine, name, e);
}

static int run_pause(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, pause_one, options);
}

static int run_unpause(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, unpause_one, options);
}

const struct cli_command cli_pause = {
	.names = "pause|container pause",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Freeze all processes of containers",
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_MANY,
	.run = run_pause,
};

const struct cli_command cli_pause_unpause = {
	.names = "unpause|container unpause",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Let paused containers go on",
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:paused",
	.which = CLI_WHICH_MANY,
	.run = run_unpause,
};
