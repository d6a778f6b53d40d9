/* `holm image mount`, `holm image unmount` and `holm image diff`. */
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/image_mount.h"

static int list_mounts(struct engine *engine, struct err *e)
{
	own_clear(strv_clear) struct strv digests = { 0 };

	int r = engine_image_mounts(engine, &digests, e);
	for (size_t i = 0; r == 0 && i < digests.count; i++) {
		own_free char *path = engine_image_mount_path(engine, digests.items[i]);
		printf("%.19s %s\n", digests.items[i], path);
	}
	return r;
}

static int run_mount(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && !args->count)
		return list_mounts(engine, e);
	for (size_t i = 0; r == 0 && i < args->count; i++) {
		own_free char *path = NULL;
		r = engine_image_mount(engine, args->items[i], &path, e);
		if (r == 0)
			puts(path);
	}
	return r;
}

static int unmount_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_image_unmount(engine, name, e);
}

static int run_unmount(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, unmount_one, options);
}

static int run_diff(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(storage_changes_clear) struct storage_changes changes = { 0 };
	const char *old = args->count > 1 ? args->items[1] : NULL;
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_image_diff(engine, args->items[0], old, &changes, e);
	if (r == 0)
		cli_diff_print(&changes);
	return r;
}

const struct cli_command cli_image_mount = {
	.names = "image mount",
	.section = "Images",
	.arguments = "[IMAGE...]",
	.summary = "Mount images read-only and print where; without IMAGE list them",
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_mount,
};

const struct cli_command cli_image_mount_undo = {
	.names = "image unmount|image umount",
	.section = "Images",
	.arguments = "IMAGE [IMAGE...]",
	.summary = "Unmount images",
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_unmount,
};

const struct cli_command cli_image_mount_diff = {
	.names = "image diff",
	.section = "Images",
	.arguments = "IMAGE [OLD]",
	.summary = "List what an image has other than OLD, or than without its last layer",
	.args_min = 1,
	.args_max = 2,
	.values = "image:",
	.run = run_diff,
};
