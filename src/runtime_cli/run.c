/* run.c - `run ID`: create, start, wait, delete. */
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "runtime/notify.h"
#include "runtime_cli/command.h"
#include "runtime_cli/foreground.h"
#include "runtime_cli/launch.h"

#define OPTIONS struct runtime_cli_launch_options
static const struct option table[] = {
	RUNTIME_CLI_LAUNCH_OPTIONS,
	{ "detach", 'd', OPTION_FLAG(detach), NULL, "return once the command runs" },
	{ "keep", 0, OPTION_FLAG(keep), NULL, "do not delete the container at its end" },
	{ 0 },
};
#undef OPTIONS

static int start(struct runtime_cli_launch *l, struct runtime_notify *notify, struct err *e)
{
	int r = runtime_notify_open(notify, l->record.folder, getenv("NOTIFY_SOCKET"), e);

	if (r == 0)
		r = runtime_start(&l->process, e);
	if (r == 0)
		r = runtime_hooks_poststart(&l->spec, &l->record.container, l->record.bundle, e);
	return r;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct runtime_cli_launch_options *o = options;
	own_clear(runtime_cli_launch_clear) struct runtime_cli_launch launch =
		RUNTIME_CLI_LAUNCH_INIT;
	own_clear(runtime_notify_close) struct runtime_notify notify = RUNTIME_NOTIFY_INIT;
	own_fd int signals = -1;

	if (!o->detach && (signals = runtime_cli_foreground_open(e)) < 0)
		return signals;
	int r = runtime_cli_launch(&launch, cli, o, args->items[0], false, e);
	if (r < 0)
		return r;
	r = start(&launch, &notify, e);
	if (r < 0) {
		runtime_cli_launch_undo(&launch, cli);
		return r;
	}
	if (o->detach)
		return runtime_notify_wait(&notify, launch.process.pid, launch.process.pidfd, e);
	return runtime_cli_launch_follow(&launch, cli, o->keep, signals, &notify, e);
}

const struct runtime_cli_command runtime_cli_run = {
	.name = "run",
	.arguments = "[OPTIONS] ID",
	.summary = "create a container, start it, and delete it at its end",
	.options = table,
	.size = sizeof(struct runtime_cli_launch_options),
	.args_min = 1,
	.args_max = 1,
	.sealed = true,
	.run = run,
};
