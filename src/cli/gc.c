/* `holm gc`: garbage collection, with a budget if one is given. */
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/gc.h"

struct gc_options {
	char *keep;
};

#define OPTIONS struct gc_options
static const struct option table[] = {
	{ "keep", 0, OPTION_STRING(keep), "SIZE",
	  "remove unused images, then steps of builds, least recently used first, until the rest "
	  "fits" },
	{ 0 },
};
#undef OPTIONS

static int run_gc(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct gc_options *o = options;
	own_clear(strv_clear) struct strv done = { 0 };
	struct engine_gc_result result = { 0 };
	struct engine *engine;
	int64_t keep = -1;
	char size[16];

	(void)args;
	if (o->keep && number_parse_bytes(&keep, o->keep, e) < 0)
		return err_add(e, "--keep");
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_gc(engine, keep, &done, &result, e);
	for (size_t i = 0; i < done.count; i++) {
		cli_print_clean(stdout, done.items[i]);
		putchar('\n');
	}
	if (r < 0)
		return r;
	number_format_bytes(size, result.freed);
	printf("Total reclaimed space: %s\n", size);
	if (keep >= 0 && result.left > (uint64_t)keep) {
		number_format_bytes(size, result.left);
		log_warning("the images that are in use take %s, more than --keep %s", size,
			    o->keep);
	}
	return 0;
}

const struct cli_command cli_gc = {
	.names = "system gc|gc",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Collect garbage, and keep the images within a budget",
	.options = table,
	.size = sizeof(struct gc_options),
	.run = run_gc,
};
