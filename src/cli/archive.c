/* `holm load`: images in files. */
#include "cli/archive.h"

#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "image/command.h"
#include "storage/store.h"

struct archive_options {
	char *input;
	char *platform;
	bool quiet;
};

#define OPTIONS struct archive_options
static const struct cli_option load_table[] = {
	{ "input", 'i', OPTION_STRING(input), "FILE", "read this file, not the standard input",
	  "file:" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show progress" },
	{ 0 },
};
#undef OPTIONS

int cli_archive_arguments(struct cli *cli, const char *verb, struct strv *to, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	strv_add(to, verb);
	strv_addf(to, "--root=%s", engine->store->root);
	strv_addf(to, "--run=%s", engine->store->run);
	if (cli->debug)
		strv_add(to, "--debug");
	return 0;
}

static int run_load(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct archive_options *o = options;
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct image_progress image = { 0 };

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
	r = image_command_run(&image, &arguments,
			      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
	if (r < 0)
		return r;
	fputs("Loaded image: ", stdout);
	cli_print_clean(stdout, *image.text ? image.text : image.digest);
	putchar('\n');
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
