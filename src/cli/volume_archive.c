/* `holm volume export` and `holm volume import`: what a volume holds, as a tar. */
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "image/command.h"

struct volume_archive_options {
	char *output;
};

#define OPTIONS struct volume_archive_options
static const struct option table[] = {
	{ "output", 'o', OPTION_STRING(output), "FILE", "write this file, not the standard output",
	  "file:" },
	{ 0 },
};
#undef OPTIONS

static int call(struct cli *cli, const char *verb, const char *name, const char *path,
		struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = cli_archive_arguments(cli, verb, &arguments, e);
	if (r < 0)
		return r;
	strv_add(&arguments, "--");
	strv_add(&arguments, name);
	strv_add(&arguments, path);
	return image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}

static int run_export(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct volume_archive_options *o = options;

	own_free char *hint = mem_format("holm volume export %s", args->items[0]);

	int r = cli_command_output(o->output, hint, e);
	return r < 0 ? r
		     : call(cli, "volume-export", args->items[0], o->output ? o->output : "-", e);
}

static int run_import(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const char *path = args->count > 1 ? args->items[1] : "-";

	(void)options;
	if (str_equal(path, "-") && isatty(STDIN_FILENO)) {
		err_set(e, ERR_INVALID, "the standard input is a terminal");
		return err_hint(e, "name a file, or redirect: holm volume import %s < FILE",
				args->items[0]);
	}
	return call(cli, "volume-import", args->items[0], path, e);
}

const struct cli_command cli_volume_archive_export = {
	.names = "volume export",
	.section = "Volumes",
	.arguments = "[OPTIONS] VOLUME",
	.summary = "Write what a volume holds as a tar",
	.options = table,
	.size = sizeof(struct volume_archive_options),
	.args_min = 1,
	.args_max = 1,
	.values = "volume:",
	.run = run_export,
};

const struct cli_command cli_volume_archive_import = {
	.names = "volume import",
	.section = "Volumes",
	.arguments = "VOLUME [FILE|-]",
	.summary = "Put the files of a tar into a volume",
	.args_min = 1,
	.args_max = 2,
	.values = "volume:",
	.run = run_import,
};
