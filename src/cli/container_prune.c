/* `holm container prune`. */
#include <stdio.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "engine/engine.h"
#include "engine/prune.h"

struct prune_options {
	bool force;
	struct strv filter;
};

#define OPTIONS struct prune_options
static const struct option table[] = {
	{ "filter", 0, OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this label, label!, or made before until (24h, a time)" },
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "label", "label!", "until", NULL };
	const struct prune_options *o = options;
	own_clear(prune_filter_clear) struct prune_filter filter = { 0 };
	own_clear(strv_clear) struct strv done = { 0 };
	struct engine *engine;
	uint64_t bytes = 0;
	char size[16];

	(void)args;
	int r = prune_filter_parse(&filter, &o->filter, keys, e);
	if (r < 0)
		return r;
	if (!o->force && !cli_confirm("This removes all containers that do not run."))
		return 0;
	r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_prune_containers(engine, &filter, false, &done, &bytes, e);
	if (done.count)
		puts("Deleted Containers:");
	for (size_t i = 0; i < done.count; i++)
		puts(done.items[i]);
	if (r < 0)
		return r;
	number_format_bytes(size, bytes);
	printf("%sTotal reclaimed space: %s\n", done.count ? "\n" : "", size);
	return 0;
}

const struct cli_command cli_container_prune = {
	.names = "container prune",
	.section = "Containers",
	.arguments = "[OPTIONS]",
	.summary = "Remove all containers that do not run",
	.options = table,
	.size = sizeof(struct prune_options),
	.run = run_prune,
};
