/* `holm volume create`, `ls`, `rm` and `prune`; inspect is in inspect.c. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "engine/engine.h"
#include "engine/prune.h"
#include "engine/volume_mount.h"
#include "engine/volumes.h"
#include "storage/store.h"
#include "storage/volume.h"

struct volume_options {
	bool all;
	bool force;
	bool quiet;
	char *driver;
	char *format;
	char *name;
	struct strv filter;
	struct strv label;
	struct strv opt;
};

#define OPTIONS struct volume_options
static const struct option create_table[] = {
	{ "driver", 'd', OPTION_STRING(driver), "DRIVER", "local; or tmpfs, in memory",
	  "local|tmpfs" },
	{ "label", 0, OPTION_STRINGS(label), "KEY=VALUE", "attach a label" },
	{ "name", 0, OPTION_STRING(name), "NAME", "as the argument", .hidden = true },
	{ "opt", 'o', OPTION_STRINGS(opt), "KEY=VALUE",
	  "type, device and o, as for mount; size of a tmpfs" },
	{ 0 },
};

static const struct option list_table[] = {
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, label or driver, or dangling" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the names alone" },
	{ 0 },
};

static const struct option remove_table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL, "one that does not exist is no error" },
	{ 0 },
};

static const struct option prune_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also volumes with names" },
	{ "filter", 0, OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this label, label!, until or all" },
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Driver",     "DRIVER", "Name",   "VOLUME NAME", "Scope",      "SCOPE", "Mountpoint",
	"MOUNTPOINT", "Labels", "LABELS", "CreatedAt",   "CREATED AT", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Driver}}\t{{.Name}}",
	.headers = headers,
	.id = "Name",
};

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct volume_options *o = options;
	const char *name = args->count ? args->items[0] : o->name;
	own_free char *made = NULL;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	r = engine_volumes_create(engine, name, o->driver, &o->label, &o->opt, &made, e);
	if (r < 0)
		return r;
	puts(made);
	return 0;
}

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void labels_of(struct json_object *volume, struct strv *to)
{
	struct json_object *labels = json_object_object_get(volume, "Labels");

	if (!labels)
		return;
	json_object_object_foreach (labels, key, value)
		strv_addf(to, "%s=%s", key, json_object_get_string(value));
}

/* A part of the name is enough, as in docker. */
static bool name_fits(const struct cli_filter *filter, const char *name)
{
	const struct strv *names = cli_filter_values(filter, "name");

	for (size_t i = 0; names && i < names->count; i++)
		if (strstr(name, names->items[i]))
			return true;
	return !names;
}

/* What docker's rows have, too, without knowing it of local volumes. */
static void add_unknown(struct json_object *volume)
{
	static const char *const keys[] = { "Availability", "Group", "Links", "Size", "Status" };

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		json_object_object_add(volume, keys[i], json_object_new_string("N/A"));
}

static struct json_object *choose(struct json_object *all, const struct cli_filter *filter)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *volume = json_object_array_get_idx(all, i);
		const struct strv *drivers = cli_filter_values(filter, "driver");
		own_clear(strv_clear) struct strv labels = { 0 };
		labels_of(volume, &labels);
		bool used = json_object_get_boolean(json_object_object_get(volume, "Used"));
		json_object_object_del(volume, "Used");
		if (!name_fits(filter, text_of(volume, "Name")) ||
		    !cli_filter_flag(filter, "dangling", !used) ||
		    !cli_filter_label(filter, "label", &labels) ||
		    (drivers && !strv_contains(drivers, text_of(volume, "Driver"))))
			continue;
		own_free char *text = strv_join(&labels, ",");
		json_object_object_add(volume, "Labels", json_object_new_string(text));
		add_unknown(volume);
		json_object_array_add(rows, json_object_get(volume));
	}
	return rows;
}

static int run_mount(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_volume_mount(engine, args->items[0], e);
	if (r < 0)
		return r;
	own_free char *path = storage_volume_path(engine->store, args->items[0]);
	puts(path);
	return 0;
}

static int unmount_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_volume_unmount(engine, name, e);
}

static int run_unmount(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, unmount_one, options);
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "name", "label", "driver", "dangling", NULL };
	const struct volume_options *o = options;
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_json struct json_object *all = NULL;
	struct engine *engine;

	(void)args;
	int r = cli_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_volumes_list(engine, cli_filter_values(&filter, "dangling"), &all, e);
	if (r < 0)
		return r;
	own_json struct json_object *rows = choose(all, &filter);
	return cli_format_rows(&list, rows, o->format, o->quiet, e);
}

/* The answer is the exit status. */
static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_json struct json_object *volume = NULL;
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_volumes_inspect(engine, args->items[0], &volume, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

static int remove_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct volume_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_volumes_remove(engine, name, o->force, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, remove_one, options);
}

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "label", "label!", "until", "all", NULL };
	const struct volume_options *o = options;
	own_clear(strv_clear) struct strv done = { 0 };
	own_clear(prune_filter_clear) struct prune_filter filter = { 0 };
	struct engine *engine;
	uint64_t bytes = 0;
	char size[16];

	(void)args;
	int r = prune_filter_parse(&filter, &o->filter, keys, e);
	if (r < 0)
		return r;
	if (!o->force && !cli_confirm(o->all ? "This removes all volumes no container uses."
					     : "This removes all nameless volumes no container "
					       "uses."))
		return 0;
	r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_volumes_prune(engine, o->all, &filter, &done, &bytes, e);
	for (size_t i = 0; i < done.count; i++)
		puts(done.items[i]);
	if (r < 0)
		return r;
	number_format_bytes(size, bytes);
	printf("Total reclaimed space: %s\n", size);
	return 0;
}

const struct cli_command cli_volume_create = {
	.names = "volume create",
	.section = "Volumes",
	.arguments = "[OPTIONS] [VOLUME]",
	.summary = "Create a volume",
	.options = create_table,
	.size = sizeof(struct volume_options),
	.args_max = 1,
	.run = run_create,
};

const struct cli_command cli_volume_list = {
	.names = "volume ls|volume list",
	.section = "Volumes",
	.arguments = "[OPTIONS]",
	.summary = "List volumes",
	.options = list_table,
	.size = sizeof(struct volume_options),
	.run = run_list,
};

const struct cli_command cli_volume_remove = {
	.names = "volume rm|volume remove",
	.section = "Volumes",
	.arguments = "[OPTIONS] VOLUME [VOLUME...]",
	.summary = "Remove volumes",
	.options = remove_table,
	.size = sizeof(struct volume_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "volume:",
	.run = run_remove,
};

const struct cli_command cli_volume_prune = {
	.names = "volume prune",
	.section = "Volumes",
	.arguments = "[OPTIONS]",
	.summary = "Remove volumes no container uses",
	.options = prune_table,
	.size = sizeof(struct volume_options),
	.run = run_prune,
};

const struct cli_command cli_volume_exists = {
	.names = "volume exists",
	.section = "Volumes",
	.arguments = "VOLUME",
	.summary = "Tell by the exit status whether a volume is there",
	.args_min = 1,
	.args_max = 1,
	.values = "volume:",
	.run = run_exists,
};

const struct cli_command cli_volume_mount = {
	.names = "volume mount",
	.section = "Volumes",
	.arguments = "VOLUME",
	.summary = "Mount a volume that is a filesystem of its own; print its folder",
	.args_min = 1,
	.args_max = 1,
	.values = "volume:",
	.run = run_mount,
};

const struct cli_command cli_volume_unmount = {
	.names = "volume unmount|volume umount",
	.section = "Volumes",
	.arguments = "VOLUME [VOLUME...]",
	.summary = "Unmount volumes that are filesystems of their own",
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "volume:",
	.run = run_unmount,
};
