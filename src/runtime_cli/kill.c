/* kill.c - `kill ID [SIGNAL]`: to the container's first process, or to all of them. */
#include <errno.h>
#include <signal.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "oci/state.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"
#include "runtime_cli/select.h"

struct kill_options {
	bool all;
	bool regex;
};

#define OPTIONS struct kill_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "send it to all of the container's processes" },
	{ "regex", 'r', OPTION_FLAG(regex), NULL, "ID is a regular expression: all that match" },
	{ 0 },
};
#undef OPTIONS

static int signal_all(const struct runtime_cli_record *record, int number, struct err *e)
{
	return number == SIGKILL ? runtime_kill_all(&record->container, e)
				 : runtime_signal_all(&record->container, number, e);
}

/* With its first process a PID namespace ends; where there is none the others would live on. */
static bool ends_whole(const struct runtime_cli_record *record, int number)
{
	return number == SIGKILL && !strv_contains(&record->container.namespaces, "pid");
}

static int signal_one(struct runtime_cli *cli, const char *id, const void *context, bool all,
		      struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	int number = *(const int *)context;

	int r = runtime_cli_record_read(&record, cli, id, true, e);
	if (r < 0)
		return r;
	bool stopped = str_equal(runtime_cli_record_status(&record), OCI_STATUS_STOPPED);
	if (all || (!stopped && ends_whole(&record, number)))
		return signal_all(&record, number, e);
	if (stopped)
		return err_set(e, ERR_STATE, "container not running");
	own_fd int pidfd = runtime_container_open(&record.container);
	r = pidfd < 0 ? pidfd : process_signal(pidfd, number);
	if (r == -ESRCH)
		return err_set(e, ERR_STATE, "container not running: process already finished");
	return r < 0 ? err_number(e, -r, "signal the container's process") : 0;
}

static int kill_one(struct runtime_cli *cli, const char *id, const void *context, struct err *e)
{
	return signal_one(cli, id, context, false, e);
}

static int kill_all(struct runtime_cli *cli, const char *id, const void *context, struct err *e)
{
	return signal_one(cli, id, context, true, e);
}

/* 0 is no signal, and asks whether one could be sent: kill(2), and so runc. */
static int parse_signal(int *number, const char *text, struct err *e)
{
	if (!str_equal(text, "0"))
		return signal_name_parse(number, text, e);
	*number = 0;
	return 0;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct kill_options *o = options;
	int number = SIGTERM;

	int r = args->count > 1 ? parse_signal(&number, args->items[1], e) : 0;
	if (r < 0)
		return r;
	return runtime_cli_select(cli, args->items[0], o->regex, o->all ? kill_all : kill_one,
				  &number, e);
}

const struct runtime_cli_command runtime_cli_kill = {
	.name = "kill",
	.arguments = "[OPTIONS] ID [SIGNAL]",
	.summary = "send a signal (default: SIGTERM)",
	.options = table,
	.size = sizeof(struct kill_options),
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
