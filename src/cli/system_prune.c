/* `holm system prune`. */
#include <stdio.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/images.h"
#include "engine/prune.h"
#include "engine/volumes.h"
#include "storage/steps.h"

struct prune_options {
	bool all;
	bool force;
	bool volumes;
	struct strv filter;
};

#define OPTIONS struct prune_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL,
	  "all images no container uses, also those with names" },
	{ "filter", 0, OPTION_STRINGS(filter), "KEY=VALUE",
	  "only what has this label, has not this label!, or was created before until" },
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ "volumes", 0, OPTION_FLAG(volumes), NULL, "also nameless volumes no container uses" },
	{ 0 },
};
#undef OPTIONS

static bool confirm(const struct prune_options *o)
{
	own_clear(str_clear) struct str text = { 0 };

	str_add(&text, "This removes:\n  - all containers that do not run\n");
	if (o->volumes)
		str_add(&text, "  - all nameless volumes no container uses\n");
	str_add(&text,
		o->all ? "  - all images no container uses" : "  - all images without a name");
	if (!o->filter.count)
		str_add(&text, "\n  - all steps of builds");
	return cli_confirm(text.text);
}

/* Docker's paragraph: nothing at all where nothing was done. */
static void print_done(const char *title, const struct strv *done)
{
	if (!done->count)
		return;
	printf("%s\n", title);
	for (size_t i = 0; i < done->count; i++) {
		cli_print_clean(stdout, done->items[i]);
		putchar('\n');
	}
	putchar('\n');
	fflush(stdout);
}

/* Containers first: what they used is free then. */
static int prune(struct engine *engine, const struct prune_options *o,
		 const struct prune_filter *filter, uint64_t *bytes, struct err *e)
{
	own_clear(strv_clear) struct strv containers = { 0 }, volumes = { 0 }, images = { 0 };
	uint64_t more = 0;

	int r = engine_prune_containers(engine, filter, false, &containers, bytes, e);
	print_done("Deleted Containers:", &containers);
	if (r == 0 && !o->filter.count)
		r = storage_steps_clear(engine->store, false, bytes, e);
	if (r == 0 && o->volumes) {
		r = engine_volumes_prune(engine, false, filter, &volumes, &more, e);
		*bytes += more;
		print_done("Deleted Volumes:", &volumes);
	}
	if (r < 0)
		return r;
	r = engine_images_prune(engine, o->all, filter, &images, &more, e);
	*bytes += r < 0 ? 0 : more;
	print_done("Deleted Images:", &images);
	return r;
}

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "label", "label!", "until", NULL };
	const struct prune_options *o = options;
	own_clear(prune_filter_clear) struct prune_filter filter = { 0 };
	struct engine *engine;
	uint64_t bytes = 0;
	char size[16];

	(void)args;
	int r = prune_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0 && o->volumes && filter.until_ns)
		r = err_set(e, ERR_INVALID,
			    "--filter until does not go with --volumes: a volume's "
			    "age tells nothing of its use");
	if (r < 0)
		return r;
	if (!o->force && !confirm(o))
		return 0;
	r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = prune(engine, o, &filter, &bytes, e);
	if (r < 0)
		return r;
	number_format_bytes(size, bytes);
	printf("Total reclaimed space: %s\n", size);
	return 0;
}

const struct cli_command cli_system_prune = {
	.names = "system prune",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Remove stopped containers and what nothing needs",
	.options = table,
	.size = sizeof(struct prune_options),
	.run = run_prune,
};
