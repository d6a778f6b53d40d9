/* `holm system check`: is the store whole? */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/fsck.h"

struct check_options {
	bool quick;
	bool repair;
};

#define OPTIONS struct check_options
static const struct option table[] = {
	{ "quick", 'q', OPTION_FLAG(quick), NULL,
	  "records and sizes alone: do not read all layers and blobs" },
	{ "repair", 'r', OPTION_FLAG(repair), NULL, "mend what is damaged, and say how" },
	{ 0 },
};
#undef OPTIONS

struct count {
	size_t found, mended, left;
};

static void print_finding(void *arg, const char *text, enum engine_fsck_outcome outcome)
{
	struct count *count = arg;

	count->found++;
	count->mended += outcome == ENGINE_FSCK_MENDED;
	count->left += outcome == ENGINE_FSCK_LEFT;
	fputs(outcome == ENGINE_FSCK_MENDED ? "mended: "
	      : outcome == ENGINE_FSCK_LEFT ? "left: "
					    : "damaged: ",
	      stdout);
	cli_print_clean(stdout, text);
	putchar('\n');
	fflush(stdout);
}

/* What is damaged, or could not be mended, is in the exit status. */
static int conclude(const struct check_options *o, const struct count *count)
{
	if (!count->found) {
		puts("The store is sound.");
		return 0;
	}
	if (!o->repair) {
		printf("%zu damaged; 'holm system check --repair' mends what can be mended.\n",
		       count->found);
		return 1;
	}
	printf("%zu damaged, %zu mended, %zu left.\n", count->found, count->mended, count->left);
	return count->left ? 1 : 0;
}

static int run_check(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct check_options *o = options;
	struct count count = { 0 };
	const struct engine_fsck check = {
		.repair = o->repair,
		.quick = o->quick,
		.report = print_finding,
		.arg = &count,
	};
	struct engine *engine;
	struct store *store;

	(void)args;
	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = engine_fsck_folders(store, &check, e);
	if (r < 0)
		return r;
	if (count.found && !o->repair)
		return conclude(o, &count);
	r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_fsck(engine, &check, e);
	return r < 0 ? r : conclude(o, &count);
}

const struct cli_command cli_check = {
	.names = "system check",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Find damage of the store, and mend it",
	.options = table,
	.size = sizeof(struct check_options),
	.run = run_check,
};
