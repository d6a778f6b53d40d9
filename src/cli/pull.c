/* `holm pull`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/registry_options.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "image/command.h"

struct pull_options {
	bool all_tags;
	char *mirror;
	char *platform;
	char *os, *arch, *variant;
	struct cli_registry_options registry;
	bool quiet;
};

#define OPTIONS struct pull_options
static const struct option table[] = {
	{ "all-tags", 'a', OPTION_FLAG(all_tags), NULL, "every tag of the name" },
	{ "mirror", 0, OPTION_STRING(mirror), "URL", "of a template: where its packages are" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "os", 0, OPTION_STRING(os), "OS", "of --platform, this part", .hidden = true },
	{ "arch", 0, OPTION_STRING(arch), "ARCH", "likewise", .hidden = true },
	{ "variant", 0, OPTION_STRING(variant), "VARIANT", "likewise", .hidden = true },
	CLI_REGISTRY_OPTIONS,
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the name alone" },
	{ 0 },
};
#undef OPTIONS

static void print_pulled(void *arg, const struct image_progress *image)
{
	const struct cli *cli = arg;

	engine_event_image(cli->engine, "pull", *image->text ? NULL : image->digest, image->text);
	cli_print_clean(stdout, *image->text ? image->text : image->digest);
	putchar('\n');
	fflush(stdout);
}

static int pull_one(struct cli *cli, const struct pull_options *o, const char *name, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = cli_archive_arguments(cli, "pull", &arguments, e);
	if (r == 0)
		r = cli_registry_options_pass(&o->registry, &arguments, e);
	if (r < 0)
		return r;
	if (o->platform)
		strv_addf(&arguments, "--platform=%s", o->platform);
	if (o->mirror)
		strv_addf(&arguments, "--mirror=%s", o->mirror);
	if (o->all_tags)
		strv_add(&arguments, "--all-tags");
	strv_add(&arguments, "--");
	strv_add(&arguments, name);
	return image_command_run_each(print_pulled, cli, &arguments,
				      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
}

static int run_pull(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct pull_options *o = options;
	int status = 0;

	int r = cli_command_platform(&o->platform, o->os, o->arch, o->variant, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		if (pull_one(cli, options, args->items[i], e) == 0)
			continue;
		cli_command_error(cli, NULL, e);
		status = status ? status : cli_command_status(cli, e);
	}
	return status;
}

static void pull_defaults(void *options)
{
	cli_registry_options_defaults(&((struct pull_options *)options)->registry);
}

const struct cli_command cli_pull = {
	.names = "pull|image pull",
	.section = "Images",
	.arguments = "[OPTIONS] NAME[:TAG|@DIGEST] [NAME...]",
	.summary = "Get images from a registry",
	.options = table,
	.size = sizeof(struct pull_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.defaults = pull_defaults,
	.run = run_pull,
};
