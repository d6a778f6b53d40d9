/* `holm stop`, `holm restart` and `holm kill`. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/which.h"
#include "engine/engine.h"

#define OPTIONS struct stop_options
static const struct option stop_table[] = {
	{ "signal", 's', OPTION_STRING(signal), "SIGNAL", "instead of the container's own" },
	{ "time", 't', OPTION_STRING(timeout), "SECONDS",
	  "then SIGKILL; -1 waits for ever; else the container's own" },
	{ "timeout", 0, OPTION_STRING(timeout), "SECONDS", "as --time", .hidden = true },
	{ 0 },
};
#undef OPTIONS

struct kill_options {
	char *signal;
};

#define OPTIONS struct kill_options
static const struct option kill_table[] = {
	{ "signal", 's', OPTION_STRING(signal), "SIGNAL", "KILL by default; name or number" },
	{ 0 },
};
#undef OPTIONS

struct outcome {
	struct cli *cli;
	int status;
};

static void report(void *arg, const char *name, const struct err *e)
{
	struct outcome *outcome = arg;

	if (e) {
		cli_command_error(outcome->cli, name, e);
		outcome->status =
			outcome->status ? outcome->status : cli_command_status(outcome->cli, e);
		return;
	}
	cli_print_clean(stdout, name);
	putchar('\n');
	fflush(stdout);
}

typedef int stopper(struct engine *engine, const struct strv *names, const struct stop_options *o,
		    engine_report *report, void *arg);

static int run_all(struct cli *cli, const struct stop_options *o, const struct strv *args,
		   stopper *f, struct err *e)
{
	struct outcome outcome = { .cli = cli };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	f(engine, args, o, report, &outcome);
	return outcome.status;
}

static int run_stop(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run_all(cli, options, args, engine_stop, e);
}

static int run_restart(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run_all(cli, options, args, engine_restart, e);
}

static int kill_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct kill_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_kill(engine, name, o->signal, e);
}

static int run_kill(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, kill_one, options);
}

const struct cli_command cli_stop = {
	.names = "stop|container stop",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Stop containers: a signal, some time, then SIGKILL",
	.options = stop_table,
	.size = sizeof(struct stop_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_MANY | CLI_WHICH_IGNORE,
	.run = run_stop,
};

const struct cli_command cli_stop_restart = {
	.names = "restart|container restart",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Stop containers and start them again",
	.options = stop_table,
	.size = sizeof(struct stop_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.which = CLI_WHICH_MANY | CLI_WHICH_RUNNING,
	.run = run_restart,
};

const struct cli_command cli_stop_kill = {
	.names = "kill|container kill",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Send a signal to containers",
	.options = kill_table,
	.size = sizeof(struct kill_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_MANY,
	.run = run_kill,
};
