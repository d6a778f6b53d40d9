/* start.c - `start ID`: the command of a created container. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/notify.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

static int check(const struct runtime_cli_record *record, struct err *e)
{
	const char *status = runtime_cli_record_status(record);

	if (str_equal(status, OCI_STATUS_CREATED))
		return 0;
	if (str_equal(status, OCI_STATUS_STOPPED))
		return err_set(e, ERR_STATE, "cannot start a container that has stopped");
	return err_set(e, ERR_STATE, "cannot start an already running container");
}

/* The specification wants the container ended where one fails (runtime.md#lifecycle). */
static int run_hooks(const struct runtime_cli_record *record, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct err ignored;

	int r = runtime_cli_record_spec(&spec, record, e);
	if (r == 0)
		r = runtime_hooks_poststart(&spec, &record->container, record->bundle, e);
	if (r < 0)
		runtime_kill_all(&record->container, &ignored);
	return r;
}

/* Of a service that tells; for the others there is nothing to wait for. */
static int wait_until_ready(struct runtime_notify *notify, const struct runtime_cli_record *record,
			    struct err *e)
{
	own_fd int pidfd = runtime_container_open(&record->container);

	return pidfd < 0 ? 0 : runtime_notify_wait(notify, (pid_t)record->container.pid, pidfd, e);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	own_clear(runtime_notify_close) struct runtime_notify notify = RUNTIME_NOTIFY_INIT;
	(void)options;

	int r = runtime_cli_record_read(&record, cli, args->items[0], true, e);
	if (r == 0)
		r = check(&record, e);
	if (r == 0)
		r = runtime_notify_open(&notify, record.folder, getenv("NOTIFY_SOCKET"), e);
	if (r < 0)
		return r;
	r = runtime_start_at(record.folder, RUNTIME_CLI_START_SOCKET, e);
	/* nobody waits there: a start was killed between the command's and its own end */
	unlinkat(record.folder, RUNTIME_CLI_START_SOCKET, 0);
	if (r == -ESRCH)
		return check(&record, e);
	if (r == 0)
		r = run_hooks(&record, e);
	return r < 0 ? r : wait_until_ready(&notify, &record, e);
}

const struct runtime_cli_command runtime_cli_start = {
	.name = "start",
	.arguments = "ID",
	.summary = "run the command of a created container",
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
