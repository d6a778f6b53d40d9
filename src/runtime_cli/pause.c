/* pause.c - `pause ID` and `resume ID`: all processes of a container stand still, or go on. */
#include "runtime/pause.h"
#include "base/err.h"
#include "base/own.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

typedef int freezer(const struct runtime_container *container, struct err *e);

static int apply(struct runtime_cli *cli, const char *id, freezer *f, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&record, cli, id, true, e);
	return r < 0 ? r : f(&record.container, e);
}

static int run_pause(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)options;
	return apply(cli, args->items[0], runtime_pause, e);
}

static int run_resume(struct runtime_cli *cli, void *options, const struct strv *args,
		      struct err *e)
{
	(void)options;
	return apply(cli, args->items[0], runtime_resume, e);
}

const struct runtime_cli_command runtime_cli_pause = {
	.name = "pause",
	.arguments = "ID",
	.summary = "stop all processes of a container for a while",
	.args_min = 1,
	.args_max = 1,
	.run = run_pause,
};

const struct runtime_cli_command runtime_cli_resume = {
	.name = "resume",
	.arguments = "ID",
	.summary = "let the processes of a paused container go on",
	.args_min = 1,
	.args_max = 1,
	.run = run_resume,
};
