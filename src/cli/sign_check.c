/* `holm image sign-check`. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "image/command.h"
#include "image/reference.h"

static int run_sign_check(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct image_progress image = { 0 };

	(void)options;
	int r = cli_archive_arguments(cli, "sign-check", &arguments, e);
	if (r < 0)
		return r;
	strv_add(&arguments, "--");
	strv_add_all(&arguments, args);
	r = image_command_run(&image, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r < 0)
		return r;
	cli_print_clean(stdout, image_reference_familiar(image.text));
	puts(image.state == IMAGE_STATE_DONE ? ": signed" : ": accepted without a signature");
	return 0;
}

const struct cli_command cli_sign_check = {
	.names = "image sign-check",
	.section = "Images",
	.arguments = "IMAGE",
	.summary = "Ask whether policy.json and its signatures allow an image",
	.args_min = 1,
	.args_max = 1,
	.values = "image:",
	.run = run_sign_check,
};
