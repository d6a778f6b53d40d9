/* `holm autostart`: what an init system calls at boot and at shutdown. */
#include <stdio.h>

#include "base/err.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/autostart.h"

/* So that milliseconds of it are an int. */
enum { TIME_MAX_S = 1000000 };

struct autostart_options {
	bool stop;
	char *time;
	struct strv group;
};

#define OPTIONS struct autostart_options
static const struct option table[] = {
	{ "stop", 0, OPTION_FLAG(stop), NULL, "stop all that run, in the reverse order" },
	{ "time", 't', OPTION_STRING(time), "SECONDS",
	  "with --stop: what runs after so long gets SIGKILL, whatever its own time" },
	{ "group", 'g', OPTION_STRINGS(group), "NAME",
	  "only those of this group (--autostart-group)" },
	{ 0 },
};
#undef OPTIONS

struct outcome {
	struct cli *cli;
	const char *done;
	int status;
};

static void report(void *arg, const char *name, const struct err *e)
{
	struct outcome *outcome = arg;

	if (e) {
		cli_command_error(outcome->cli, name, e);
		outcome->status = 1;
		return;
	}
	printf("%s ", outcome->done);
	cli_print_clean(stdout, name);
	putchar('\n');
	fflush(stdout);
}

static int run_autostart(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct autostart_options *o = options;
	struct outcome outcome = { .cli = cli, .done = o->stop ? "stopped" : "started" };
	struct engine *engine;
	int64_t timeout_s = -1;

	(void)args;
	if (o->time && !o->stop)
		return err_set(e, ERR_INVALID, "--time says nothing without --stop");
	if (o->time && number_parse_i64(&timeout_s, o->time, -1, TIME_MAX_S, e) < 0)
		return err_add(e, "--time");
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && o->stop)
		r = engine_autostart_stop(engine, &o->group, timeout_s, report, &outcome, e);
	else if (r == 0)
		r = engine_autostart(engine, &o->group, report, &outcome, e);
	return r < 0 ? r : outcome.status;
}

const struct cli_command cli_autostart = {
	.names = "autostart",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Start the containers that are to run from boot on; for init systems",
	.options = table,
	.size = sizeof(struct autostart_options),
	.run = run_autostart,
};
