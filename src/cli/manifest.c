/* `holm manifest`: images for several platforms under one name. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/registry_options.h"
#include "engine/images.h"
#include "image/command.h"
#include "image/reference.h"

struct manifest_options {
	struct cli_registry_options registry;
	char *os, *arch, *variant, *os_version;
	struct strv annotation;
	bool all;
	bool amend;
	bool purge;
	bool quiet;
};

#define OPTIONS struct manifest_options
#define PLATFORM_OPTIONS                                                                           \
	{ "annotation", 0, OPTION_STRINGS(annotation), "KEY=VALUE",                                \
	  "an annotation of the entry" },                                                          \
		{ "arch", 0, OPTION_STRING(arch), "ARCH", "the architecture, as in arm64" },       \
		{ "os", 0, OPTION_STRING(os), "OS", "the operating system" },                      \
		{ "os-version", 0, OPTION_STRING(os_version), "VERSION", "its version" },          \
	{                                                                                          \
		"variant", 0, OPTION_STRING(variant), "VARIANT", "of the architecture, as in v7"   \
	}

static const struct option create_table[] = {
	{ "all", 0, OPTION_FLAG(all), NULL, "of a list all its images, not this platform's alone" },
	{ "amend", 'a', OPTION_FLAG(amend), NULL, "add to a list that is there" },
	CLI_REGISTRY_OPTIONS,
	{ 0 },
};

static const struct option add_table[] = {
	{ "all", 0, OPTION_FLAG(all), NULL, "of a list all its images, not this platform's alone" },
	PLATFORM_OPTIONS,
	CLI_REGISTRY_OPTIONS,
	{ 0 },
};

static const struct option annotate_table[] = {
	PLATFORM_OPTIONS,
	{ 0 },
};

static const struct option inspect_table[] = {
	CLI_REGISTRY_OPTIONS,
	{ 0 },
};

static const struct option push_table[] = {
	{ "all", 0, OPTION_FLAG(all), NULL, "all images of the list, as it is done anyway",
	  .hidden = true },
	CLI_REGISTRY_OPTIONS,
	{ "purge", 'p', OPTION_FLAG(purge), NULL, "remove the list here when it is there" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show progress" },
	{ 0 },
};
#undef OPTIONS

static void manifest_defaults(void *options)
{
	cli_registry_options_defaults(&((struct manifest_options *)options)->registry);
}

static void add_changes(const struct manifest_options *o, struct strv *to)
{
	if (o->os)
		strv_addf(to, "--change=os=%s", o->os);
	if (o->arch)
		strv_addf(to, "--change=arch=%s", o->arch);
	if (o->variant)
		strv_addf(to, "--change=variant=%s", o->variant);
	if (o->os_version)
		strv_addf(to, "--change=os-version=%s", o->os_version);
	for (size_t i = 0; i < o->annotation.count; i++)
		strv_addf(to, "--change=annotation=%s", o->annotation.items[i]);
}

/* verb: of holm-image's "list". *answer may be NULL. */
static int run(struct cli *cli, const char *verb, const struct manifest_options *o,
	       const struct strv *args, struct image_progress *answer, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = cli_archive_arguments(cli, "list", &arguments, e);
	if (r == 0)
		r = cli_registry_options_pass(&o->registry, &arguments, e);
	if (r < 0)
		return r;
	if (o->all)
		strv_add(&arguments, "--all");
	if (o->amend)
		strv_add(&arguments, "--amend");
	add_changes(o, &arguments);
	strv_add(&arguments, "--");
	strv_add(&arguments, verb);
	strv_add_all(&arguments, args);
	return image_command_run(answer, &arguments,
				 o->quiet || !answer ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
}

static int print_list(const char *doing, const char *name, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, name, e);

	if (r < 0)
		return r;
	own_free char *full = image_reference_format(&ref);
	printf("%s %s\n", doing, full);
	return 0;
}

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	int r = run(cli, "create", options, args, NULL, e);

	return r < 0 ? r : print_list("Created manifest list", args->items[0], e);
}

static int run_add(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run(cli, "add", options, args, NULL, e);
}

static int run_annotate(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run(cli, "annotate", options, args, NULL, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run(cli, "remove", options, args, NULL, e);
}

static int run_inspect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return run(cli, "inspect", options, args, NULL, e);
}

static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct manifest_options none = { .registry.tls_verify = true };
	int r = run(cli, "exists", &none, args, NULL, e);

	(void)options;
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

static int remove_list(struct engine *engine, const char *name, bool print, struct err *e)
{
	own_clear(strv_clear) struct strv done = { 0 };
	int r = engine_images_remove_list(engine, name, &done, e);

	if (print)
		cli_print_lines(&done);
	return r;
}

static int run_rm(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;
	int status = 0;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		if (remove_list(engine, args->items[i], true, e) == 0)
			continue;
		cli_command_error(cli, NULL, e);
		status = status ? status : cli_command_status(cli, e);
	}
	return status;
}

static int run_push(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct manifest_options *o = options;
	struct image_progress answer = { 0 };
	int r = run(cli, "push", o, args, &answer, e);

	if (r == 0)
		puts(answer.digest);
	return r == 0 && o->purge ? remove_list(cli->engine, args->items[0], false, e) : r;
}

#define MANIFEST(verb, words, what, options_table, min, max)                                       \
	{                                                                                          \
		.names = "manifest " #verb, .section = "Registries", .arguments = words,           \
		.summary = what, .options = options_table,                                         \
		.size = sizeof(struct manifest_options), .args_min = min, .args_max = max,         \
		.values = "image:", .defaults = manifest_defaults, .run = run_##verb,              \
	}

const struct cli_command cli_manifest_create =
	MANIFEST(create, "[OPTIONS] LIST [IMAGE...]", "Make a list of manifests", create_table, 1,
		 CLI_ARGS_ANY);
const struct cli_command cli_manifest_add = MANIFEST(
	add, "[OPTIONS] LIST IMAGE [IMAGE...]", "Add images to a list", add_table, 2, CLI_ARGS_ANY);
const struct cli_command cli_manifest_annotate =
	MANIFEST(annotate, "[OPTIONS] LIST IMAGE|DIGEST", "Say what platform an image is for",
		 annotate_table, 2, 2);
const struct cli_command cli_manifest_remove =
	MANIFEST(remove, "LIST IMAGE|DIGEST", "Take an image out of a list", NULL, 2, 2);
const struct cli_command cli_manifest_inspect =
	MANIFEST(inspect, "[OPTIONS] LIST|IMAGE", "Print a list, or what a registry has",
		 inspect_table, 1, 1);
const struct cli_command cli_manifest_push =
	MANIFEST(push, "[OPTIONS] LIST [DESTINATION]", "Send a list and its images to a registry",
		 push_table, 1, 2);
const struct cli_command cli_manifest_rm =
	MANIFEST(rm, "LIST [LIST...]", "Remove lists", NULL, 1, CLI_ARGS_ANY);
const struct cli_command cli_manifest_exists =
	MANIFEST(exists, "LIST", "Exit with 0 if there is such a list, else with 1", NULL, 1, 1);
