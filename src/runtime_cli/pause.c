/* pause.c - `pause ID` and `resume ID`: all processes of a container stand still, or go on. */
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/state.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

static int freeze(struct runtime_cli *cli, const char *id, bool frozen, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&record, cli, id, true, e);
	if (r < 0)
		return r;
	const char *status = runtime_cli_record_status(&record);
	if (str_equal(status, OCI_STATUS_STOPPED))
		return err_set(e, ERR_STATE, "container not running");
	if (!frozen && !str_equal(status, OCI_STATUS_PAUSED))
		return err_set(e, ERR_STATE, "container not paused");
	if (frozen && str_equal(status, OCI_STATUS_PAUSED))
		return err_set(e, ERR_STATE, "container already paused");
	return runtime_cgroup_freeze(&record.container.cgroup, frozen, e);
}

static int run_pause(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)options;
	return freeze(cli, args->items[0], true, e);
}

static int run_resume(struct runtime_cli *cli, void *options, const struct strv *args,
		      struct err *e)
{
	(void)options;
	return freeze(cli, args->items[0], false, e);
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
