/* `holm diff`: what a container changed in its image. */
#include "cli/diff.h"

#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/which.h"
#include "engine/diff.h"
#include "engine/engine.h"
#include "storage/changes.h"

/* To a terminal without what could steer it; to a program as it is. */
static void print(const struct storage_change *change)
{
	printf("%c ", change->kind);
	if (isatty(STDOUT_FILENO))
		cli_print_clean(stdout, change->path);
	else
		fputs(change->path, stdout);
	putchar('\n');
}

void cli_diff_print(const struct storage_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		print(&changes->items[i]);
}

static int run_diff(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(storage_changes_clear) struct storage_changes changes = { 0 };
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_diff(engine, args->items[0], &changes, e);
	if (r == 0)
		cli_diff_print(&changes);
	return r;
}

const struct cli_command cli_diff = {
	.names = "diff|container diff",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "List what a container changed in its image: A added, C changed, D deleted",
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.which = CLI_WHICH_LATEST,
	.run = run_diff,
};
