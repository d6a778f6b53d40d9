/* `holm tag`, `holm rmi`, `holm image prune` and `holm image exists`. */
#include <stdio.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/images.h"
#include "engine/lists.h"
#include "engine/prune.h"

struct remove_image_options {
	bool force;
	bool no_prune;
	char *platform;
};

#define OPTIONS struct remove_image_options
static const struct option rmi_table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL,
	  "also if stopped containers use it, or it has several names" },
	{ "no-prune", 0, OPTION_FLAG(no_prune), NULL,
	  "leave its layers on the disk until holm gc" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH",
	  "of a list of manifests this image alone" },
	{ 0 },
};
#undef OPTIONS

struct prune_options {
	bool all;
	bool force;
	struct strv filter;
};

#define OPTIONS struct prune_options
static const struct option prune_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also images with names, if no container uses them" },
	{ "filter", 0, OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this label, label!, until or dangling" },
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

static int run_tag(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_images_tag(engine, args->items[0], args->items[1], e);
}

static int run_rmi(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct remove_image_options *o = options;
	const struct engine_images_removal how = { o->force, o->no_prune, o->platform };
	struct engine *engine;
	int status = 0;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		own_clear(strv_clear) struct strv done = { 0 };
		r = engine_images_remove(engine, args->items[i], &how, &done, e);
		cli_print_lines(&done);
		if (r < 0) {
			cli_command_error(cli, args->items[i], e);
			status = status ? status : cli_command_status(cli, e);
		}
	}
	return status;
}

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "label", "label!", "until", "dangling", NULL };
	const struct prune_options *o = options;
	own_clear(strv_clear) struct strv done = { 0 };
	own_clear(prune_filter_clear) struct prune_filter filter = { 0 };
	struct engine *engine;
	uint64_t bytes = 0;
	char size[16];

	(void)args;
	int r = prune_filter_parse(&filter, &o->filter, keys, e);
	if (r < 0)
		return r;
	if (!o->force && !cli_confirm(o->all ? "This removes all images no container uses."
					     : "This removes all images without a name."))
		return 0;
	r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_images_prune(engine, o->all, &filter, &done, &bytes, e);
	cli_print_lines(&done);
	if (r < 0)
		return r;
	number_format_bytes(size, bytes);
	printf("Total reclaimed space: %s\n", size);
	return 0;
}

/* The answer is the exit status. */
static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && engine_lists_find(engine, args->items[0], &list, e) == 0)
		return 0;
	if (r == 0)
		r = engine_image_find(engine, args->items[0], &image, NULL, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

const struct cli_command cli_image_tag = {
	.names = "tag|image tag",
	.section = "Images",
	.arguments = "IMAGE NAME[:TAG]",
	.summary = "Give an image one more name",
	.args_min = 2,
	.args_max = 2,
	.values = "image:",
	.run = run_tag,
};

const struct cli_command cli_image_rmi = {
	.names = "rmi|image rm|image remove",
	.section = "Images",
	.arguments = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Remove images, or names of them",
	.options = rmi_table,
	.size = sizeof(struct remove_image_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_rmi,
};

const struct cli_command cli_image_prune = {
	.names = "image prune",
	.section = "Images",
	.arguments = "[OPTIONS]",
	.summary = "Remove images that nothing needs",
	.options = prune_table,
	.size = sizeof(struct prune_options),
	.run = run_prune,
};

const struct cli_command cli_image_exists = {
	.names = "image exists",
	.section = "Images",
	.arguments = "IMAGE",
	.summary = "Tell by the exit status whether an image is there",
	.args_min = 1,
	.args_max = 1,
	.values = "image:",
	.run = run_exists,
};
