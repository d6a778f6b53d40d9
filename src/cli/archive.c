/* `holm load`, `holm save` and `holm import`: images in files. */
#include "cli/archive.h"

#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/foreign.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image.h"
#include "image/command.h"
#include "image/reference.h"
#include "storage/gc.h"
#include "storage/store.h"
#include "system/foreign.h"

struct archive_options {
	char *input;
	char *output;
	char *format;
	char *platform;
	bool quiet;
	char *message;
	char *from;
	char *only;
	struct strv change;
	bool dry_run;
};

#define OPTIONS struct archive_options
static const struct option load_table[] = {
	{ "input", 'i', OPTION_STRING(input), "FILE", "read this file, not the standard input",
	  "file:" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show progress" },
	{ 0 },
};

static const struct option save_table[] = {
	{ "output", 'o', OPTION_STRING(output), "FILE",
	  "write this file (or folder), not the standard output", "file:" },
	{ "format", 0, OPTION_STRING(format), "FORMAT",
	  "docker-archive (if nothing is said), oci-archive, oci-dir or dir",
	  "docker-archive|oci-archive|oci-dir|dir" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH",
	  "of a list of manifests this image, not that of this machine" },
	{ 0 },
};

static const struct option import_table[] = {
	{ "change", 'c', OPTION_STRINGS(change), "INSTRUCTION",
	  "a Containerfile's CMD, ENV, EXPOSE, USER... for the image" },
	{ "dry-run", 0, OPTION_FLAG(dry_run), NULL,
	  "of lxc and nspawn: say what would be made, and what not taken" },
	{ "from", 0, OPTION_STRING(from), "ENGINE",
	  "take what docker, podman, lxc or nspawn has in FOLDER: images and volumes, or "
	  "containers",
	  "docker|podman|lxc|nspawn" },
	{ "message", 'm', OPTION_STRING(message), "TEXT", "a comment, for the image's history" },
	{ "only", 0, OPTION_STRING(only), "WHAT", "with --from: images or volumes alone",
	  "images|volumes" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "what it is made for" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show progress" },
	{ 0 },
};
#undef OPTIONS

int cli_archive_arguments(struct cli *cli, const char *verb, struct strv *to, struct err *e)
{
	struct engine *engine;
	struct err ignored;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	/* what a killed one left */
	storage_gc_unfinished(engine->store, &ignored);
	image_command_begin(to, verb, engine->store);
	if (cli->debug)
		strv_add(to, "--debug");
	return 0;
}

static void print_loaded(void *arg, const struct image_progress *image)
{
	const struct cli *cli = arg;

	engine_event_image(cli->engine, "load", image->digest, *image->text ? image->text : NULL);
	fputs(*image->text ? "Loaded image: " : "Loaded image ID: ", stdout);
	cli_print_clean(stdout,
			*image->text ? image_reference_familiar(image->text) : image->digest);
	putchar('\n');
	fflush(stdout);
}

static int run_load(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct archive_options *o = options;
	own_clear(strv_clear) struct strv arguments = { 0 };

	(void)args;
	if (!o->input && isatty(STDIN_FILENO)) {
		err_set(e, ERR_INVALID, "the standard input is a terminal");
		return err_hint(e, "say --input FILE, or redirect: holm load < FILE");
	}
	int r = cli_archive_arguments(cli, "load", &arguments, e);
	if (r < 0)
		return r;
	if (o->platform)
		strv_addf(&arguments, "--platform=%s", o->platform);
	strv_add(&arguments, "--");
	strv_add(&arguments, o->input ? o->input : "-");
	return image_command_run_each(print_loaded, cli, &arguments,
				      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
}

static void tell_saved(struct engine *engine, const char *name)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct err ignored;

	if (engine_image_find(engine, name, &image, NULL, &ignored) == 0)
		engine_event_image(engine, "save", image.manifest.config.digest, name);
}

/* Said before anything is written. */
static int check_platform(struct engine *engine, const char *platform, const struct strv *names,
			  struct err *e)
{
	int r = 0;

	for (size_t i = 0; platform && r == 0 && i < names->count; i++) {
		own_clear(storage_image_clear) struct storage_image image = { 0 };
		r = engine_image_find_for(engine, names->items[i], platform, &image, NULL, e);
	}
	return r;
}

static int run_save(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct archive_options *o = options;
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = cli_command_output(o->output, "holm save IMAGE", e);
	if (r == 0)
		r = cli_archive_arguments(cli, "save", &arguments, e);
	if (r == 0)
		r = check_platform(cli->engine, o->platform, args, e);
	if (r < 0)
		return r;
	if (o->platform)
		strv_addf(&arguments, "--platform=%s", o->platform);
	strv_add(&arguments, "--");
	strv_add(&arguments, o->format ? o->format : "docker-archive");
	strv_add(&arguments, o->output ? o->output : "-");
	strv_add_all(&arguments, args);
	r = image_command_run(NULL, &arguments, IMAGE_SHOW_PROGRESS, e);
	for (size_t i = 0; r == 0 && i < args->count; i++)
		tell_saved(cli->engine, args->items[i]);
	return r;
}

static int import_images(struct cli *cli, const struct archive_options *o, const struct strv *args,
			 struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const char *folder =
		str_equal(o->from, "docker") ? "/var/lib/docker" : "/var/lib/containers/storage";

	if (args->count > 1)
		return err_set(e, ERR_INVALID, "--from: the names are those of the other store");
	if (o->platform || o->message || o->change.count)
		return err_set(e, ERR_INVALID,
			       "--from does not go with --platform, --message and "
			       "--change: images come as they are");
	int r = cli_archive_arguments(cli, "foreign", &arguments, e);
	if (r < 0)
		return r;
	strv_add(&arguments, "--");
	strv_add(&arguments, o->from);
	strv_add(&arguments, args->count ? args->items[0] : folder);
	strv_add(&arguments, o->only ? o->only : "all");
	return image_command_run_each(print_loaded, cli, &arguments,
				      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
}

static int refuse_for_containers(const struct archive_options *o, struct err *e)
{
	if (o->platform || o->message || o->change.count || o->only)
		return err_set(e, ERR_INVALID,
			       "--from %s does not go with --platform, --message, --change and "
			       "--only: containers come as they are",
			       o->from);
	return 0;
}

static int import_from(struct cli *cli, const struct archive_options *o, const struct strv *args,
		       struct err *e)
{
	const struct foreign_kind *kind = system_foreign_kind_find(o->from);

	if (kind && refuse_for_containers(o, e) < 0)
		return -e->number;
	if (kind)
		return cli_foreign_import(cli, kind, args, o->dry_run, e);
	if (o->dry_run)
		return err_set(e, ERR_INVALID, "--dry-run goes with --from lxc and --from nspawn");
	return import_images(cli, o, args, e);
}

static int run_import(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct archive_options *o = options;
	if (o->from)
		return import_from(cli, o, args, e);
	if (o->only || o->dry_run)
		return err_set(e, ERR_INVALID, "--only and --dry-run go with --from");
	if (args->count > 2)
		return err_set(e, ERR_INVALID, "import takes one file, and maybe a name");
	if (!args->count)
		return err_set(e, ERR_INVALID, "import needs a file, a folder or an address");
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct image_progress image = { 0 };

	int r = cli_archive_arguments(cli, "import", &arguments, e);
	if (r < 0)
		return r;
	if (o->platform)
		strv_addf(&arguments, "--platform=%s", o->platform);
	if (o->message)
		strv_addf(&arguments, "--message=%s", o->message);
	for (size_t i = 0; i < o->change.count; i++)
		strv_addf(&arguments, "--change=%s", o->change.items[i]);
	strv_add(&arguments, "--");
	strv_add_all(&arguments, args);
	r = image_command_run(&image, &arguments,
			      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
	if (r < 0)
		return r;
	if (*image.text)
		engine_event_image(cli->engine, "tag", image.digest, image.text);
	engine_event_image(cli->engine, "import", image.digest, *image.text ? image.text : NULL);
	puts(image.digest);
	return 0;
}

const struct cli_command cli_archive_load = {
	.names = "load|image load",
	.section = "Images",
	.arguments = "[OPTIONS]",
	.summary = "Get images from an archive (OCI, or what docker save writes)",
	.options = load_table,
	.size = sizeof(struct archive_options),
	.run = run_load,
};

const struct cli_command cli_archive_save = {
	.names = "save|image save",
	.section = "Images",
	.arguments = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Write images to an archive",
	.options = save_table,
	.size = sizeof(struct archive_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_save,
};

const struct cli_command cli_archive_import = {
	.names = "import|image import",
	.section = "Images",
	.arguments = "[OPTIONS] FILE|FOLDER|URL|- [NAME[:TAG]]",
	.summary = "Make an image of a root filesystem; or take all from docker, podman, lxc or "
		   "nspawn",
	.options = import_table,
	.size = sizeof(struct archive_options),
	.args_max = CLI_ARGS_ANY,
	.values = "file:",
	.run = run_import,
};
