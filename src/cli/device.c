/* `holm device add`, `rm` and `ls`. */
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "engine/device.h"
#include "engine/engine.h"

#define OPTIONS struct device_options
static const struct option add_table[] = {
	{ "volume", 'v', OPTION_STRINGS(volume), "SOURCE:TARGET[:OPTS]",
	  "a folder of the host, or a named volume" },
	{ "mount", 0, OPTION_STRINGS(mount), "KEY=VALUE,...",
	  "type=bind, volume, tmpfs or image; source, target, readonly..." },
	{ "tmpfs", 0, OPTION_STRINGS(tmpfs), "TARGET[:OPTIONS]", "a tmpfs" },
	{ "device", 0, OPTION_STRINGS(device), "PATH[:TARGET][:rwm]",
	  "a device of the host, as the arguments behind the container" },
	{ "network", 0, OPTION_STRINGS(network), "NETWORK", "as holm network connect", "network:" },
	{ "temporary", 0, OPTION_FLAG(temporary), NULL,
	  "until the container ends; it is not recorded" },
	{ 0 },
};
#undef OPTIONS

struct shown_options {
	char *format;
};

#define OPTIONS struct shown_options
static const struct option list_table[] = {
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Type",    "TYPE",    "Source",    "SOURCE",    "Target", "TARGET",
	"Options", "OPTIONS", "Temporary", "TEMPORARY", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Type}}\t{{.Source}}\t{{.Target}}\t{{.Options}}\t{{.Temporary}}",
	.headers = headers,
	.id = "Target",
};

static int run_add(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_free char *folder = getcwd(NULL, 0);
	struct device_options *o = options;
	struct engine *engine;

	for (size_t i = 1; i < args->count; i++)
		strv_add(&o->device, args->items[i]);
	if (!o->volume.count && !o->mount.count && !o->tmpfs.count && !o->device.count &&
	    !o->network.count)
		return err_set(e, ERR_INVALID,
			       "nothing to add: a device, --volume, --mount, --tmpfs or --network");
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_device_add(engine, args->items[0], o, folder ? folder : "/", e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	for (size_t i = 1; r == 0 && i < args->count; i++)
		r = engine_device_remove(engine, args->items[0], args->items[i], e);
	return r;
}

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text ? text : ""));
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(engine_devices_clear) struct engine_devices devices = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	const struct shown_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_device_list(engine, args->items[0], &devices, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < devices.items.count; i++) {
		const struct engine_device *device = &devices.items.items[i];
		struct json_object *row = json_object_new_object();
		add_text(row, "Options", device->options);
		add_text(row, "Source", device->source);
		add_text(row, "Target", device->target);
		add_text(row, "Temporary", device->temporary ? "yes" : "no");
		add_text(row, "Type", device->type);
		json_object_array_add(rows, row);
	}
	return cli_format_rows(&list, rows, o->format, false, e);
}

const struct cli_command cli_device_add = {
	.names = "device add|container device add",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [DEVICE[:TARGET][:rwm]...]",
	.summary = "Give a container, running or not, devices, mounts or networks",
	.options = add_table,
	.size = sizeof(struct device_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_add,
};

const struct cli_command cli_device_rm = {
	.names = "device rm|device remove|container device rm",
	.section = "Containers",
	.arguments = "CONTAINER TARGET...",
	.summary = "Take a device, a mount (by its path in it) or a network from a container",
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_remove,
};

const struct cli_command cli_device_ls = {
	.names = "device ls|device list|container device ls",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "List what a container was given",
	.options = list_table,
	.size = sizeof(struct shown_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_list,
};
