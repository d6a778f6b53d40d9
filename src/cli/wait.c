/* `holm wait`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/which.h"
#include "engine/engine.h"

struct wait_options {
	char *condition;
};

#define OPTIONS struct wait_options
static const struct option table[] = {
	{ "condition", 0, OPTION_STRING(condition), "WHEN",
	  "not-running (at once if it does not run), next-exit, removed, created, running, paused, "
	  "healthy or unhealthy; exited and stopped are not-running",
	  "not-running|next-exit|removed|created|running|paused|healthy|unhealthy|exited|stopped" },
	{ 0 },
};
#undef OPTIONS

/* Docker's words first, then podman's. */
static const struct {
	const char *word;
	enum engine_wait_for condition;
} conditions[] = {
	{ "not-running", ENGINE_WAIT_NOT_RUNNING }, { "next-exit", ENGINE_WAIT_NEXT_EXIT },
	{ "removed", ENGINE_WAIT_REMOVED },         { "exited", ENGINE_WAIT_NOT_RUNNING },
	{ "stopped", ENGINE_WAIT_NOT_RUNNING },     { "created", ENGINE_WAIT_CREATED },
	{ "running", ENGINE_WAIT_RUNNING },         { "paused", ENGINE_WAIT_PAUSED },
	{ "healthy", ENGINE_WAIT_HEALTHY },         { "unhealthy", ENGINE_WAIT_UNHEALTHY },
};

static enum engine_wait_for condition_of(const struct wait_options *o)
{
	for (size_t i = 0; o->condition && i < COUNT_OF(conditions); i++)
		if (strcmp(o->condition, conditions[i].word) == 0)
			return conditions[i].condition;
	return ENGINE_WAIT_NOT_RUNNING;
}

static int run_wait(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;
	int status = 0;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		int code = 0;
		if (engine_wait(engine, args->items[i], condition_of(options), &code, e) < 0) {
			cli_command_error(cli, args->items[i], e);
			status = cli_command_status(cli, e);
			continue;
		}
		printf("%d\n", code);
		fflush(stdout);
	}
	return status;
}

const struct cli_command cli_wait = {
	.names = "wait|container wait",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Wait until containers end, and print their exit codes",
	.options = table,
	.size = sizeof(struct wait_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.which = CLI_WHICH_LATEST | CLI_WHICH_IGNORE,
	.run = run_wait,
};
