/* `holm image copy`. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/registry_options.h"
#include "image/command.h"

struct copy_options {
	char *auth_file;
	char *platform;
	bool all;
	bool quiet;
	bool tls_verify;
};

#define OPTIONS struct copy_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL,
	  "of a list of manifests the list and all its images" },
	{ "authfile", 0, OPTION_STRING(auth_file), "FILE", "logins, in place of the usual files",
	  "file:" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the digest alone" },
	{ "tls-verify", 0, OPTION_FLAG(tls_verify), NULL,
	  "ask for TLS and a certificate that is known (=false: do not)" },
	{ 0 },
};
#undef OPTIONS

static void print_copied(const struct copy_options *o, const struct image_progress *image)
{
	if (!o->quiet) {
		cli_print_clean(stdout, image->text);
		fputs(": ", stdout);
	}
	puts(image->digest);
}

static int run_copy(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct copy_options *o = options;
	const struct cli_registry_options registry = { o->auth_file, NULL, o->tls_verify };
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct image_progress image = { 0 };

	if (o->all && o->platform)
		return err_set(e, ERR_INVALID, "--all and --platform exclude each other");
	int r = cli_archive_arguments(cli, "copy", &arguments, e);
	if (r == 0)
		r = cli_registry_options_pass(&registry, &arguments, e);
	if (r < 0)
		return r;
	if (o->all)
		strv_add(&arguments, "--all");
	if (o->platform)
		strv_addf(&arguments, "--platform=%s", o->platform);
	strv_add(&arguments, "--");
	strv_add_all(&arguments, args);
	r = image_command_run(&image, &arguments,
			      o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
	if (r == 0)
		print_copied(o, &image);
	return r;
}

static void copy_defaults(void *options)
{
	((struct copy_options *)options)->tls_verify = true;
}

const struct cli_command cli_image_copy = {
	.names = "image copy",
	.section = "Registries",
	.arguments = "[OPTIONS] SOURCE DESTINATION",
	.summary = "Copy an image between registries, layouts and archives, past the store",
	.options = table,
	.size = sizeof(struct copy_options),
	.args_min = 2,
	.args_max = 2,
	.defaults = copy_defaults,
	.run = run_copy,
};
