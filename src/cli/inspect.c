/* `holm inspect`, also of images, volumes and networks. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/format.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "engine/networks.h"
#include "engine/usage.h"
#include "engine/volumes.h"

struct inspect_options {
	bool explain;
	bool size;
	char *format;
	char *platform; /* of an image */
	char *type;
};

#define OPTIONS struct inspect_options
static const struct option table[] = {
	{ "type", 0, OPTION_STRING(type), "KIND", "look only for this kind of thing",
	  "container|image|volume|network" },
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ "explain", 0, OPTION_FLAG(explain), NULL,
	  "a container as a table of what it is made of, beside the default" },
	{ "size", 's', OPTION_FLAG(size), NULL,
	  "with SizeRw and SizeRootFs: the bytes that a container wrote, and of all its files" },
	{ 0 },
};

/* Without --type, where that is said by the name of the command. */
static const struct option container_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ "explain", 0, OPTION_FLAG(explain), NULL,
	  "as a table of what it is made of, beside the default" },
	{ "size", 's', OPTION_FLAG(size), NULL,
	  "with SizeRw and SizeRootFs: the bytes that it wrote, and of all its files" },
	{ 0 },
};

static const struct option format_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ 0 },
};

static const struct option image_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ 0 },
};
#undef OPTIONS

/* The order in which a name is looked up. */
static const struct kind {
	const char *name;
	int (*inspect)(struct engine *engine, const char *name, struct json_object **ret,
		       struct err *e);
} kinds[] = {
	{ "container", engine_inspect },
	{ "image", engine_image_inspect },
	{ "volume", engine_volumes_inspect },
	{ "network", engine_networks_inspect },
};

static int find(struct engine *engine, const char *name, const char *type, struct json_object **ret,
		struct err *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (type && strcmp(type, kinds[i].name) != 0)
			continue;
		int r = kinds[i].inspect(engine, name, ret, e);
		/* a name that cannot be one of a volume is not found, either */
		bool other = e->kind == ERR_NOT_FOUND || (i > 0 && e->kind == ERR_INVALID);
		if (r == 0 || type || !other)
			return r;
	}
	return err_set(e, ERR_NOT_FOUND, "no such container, image, volume or network");
}

/* Of a container; other things have their size in any case. */
static void add_size(struct engine *engine, struct json_object *object)
{
	struct json_object *id = json_object_object_get(object, "Id");
	own_clear(container_clear) struct container c = { 0 };
	uint64_t written, all;
	struct err none;

	if (!json_object_object_get(object, "HostConfig") ||
	    engine_load(engine, json_object_get_string(id), &c, NULL, &none) < 0)
		return;
	engine_usage_container(engine, &c, &written, &all);
	json_object_object_add(object, "SizeRw", json_object_new_uint64(written));
	json_object_object_add(object, "SizeRootFs", json_object_new_uint64(all));
}

static int find_one(struct engine *engine, const struct inspect_options *o, const char *name,
		    const char *type, struct json_object **ret, struct err *e)
{
	if (o->explain)
		return engine_explain(engine, name, ret, e);
	return o->platform ? engine_image_inspect_for(engine, name, o->platform, ret, e)
			   : find(engine, name, type, ret, e);
}

/* What was found is printed in any case. */
static int inspect(struct cli *cli, const struct inspect_options *o, const char *type,
		   const struct strv *args, struct err *e)
{
	own_json struct json_object *all = json_object_new_array();
	struct engine *engine;
	int status = 0;

	if (o->explain && type && strcmp(type, "container") != 0)
		return err_set(e, ERR_INVALID, "--explain and --type %s exclude each other", type);
	if (o->explain && o->size)
		return err_set(e, ERR_INVALID, "--explain and --size exclude each other");

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		struct json_object *one = NULL;
		int found = find_one(engine, o, args->items[i], type, &one, e);
		if (found == 0) {
			if (o->size && !o->explain)
				add_size(engine, one);
			json_object_array_add(all, one);
			continue;
		}
		cli_command_error(cli, args->items[i], e);
		status = status ? status : cli_command_status(cli, e);
	}
	if (o->explain && !o->format)
		cli_explain_print(all);
	else
		r = cli_format_objects(all, o->format, e);
	return r < 0 ? r : status;
}

static int run_inspect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct inspect_options *o = options;

	return inspect(cli, o, o->type, args, e);
}

static int run_container(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return inspect(cli, options, "container", args, e);
}

static int run_image(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return inspect(cli, options, "image", args, e);
}

static int run_volume(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return inspect(cli, options, "volume", args, e);
}

static int run_network(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return inspect(cli, options, "network", args, e);
}

const struct cli_command cli_inspect = {
	.names = "inspect",
	.section = "Containers",
	.arguments = "[OPTIONS] NAME [NAME...]",
	.summary = "Show everything about containers, images or volumes",
	.options = table,
	.size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.which = CLI_WHICH_LATEST,
	.run = run_inspect,
};

const struct cli_command cli_inspect_container = {
	.names = "container inspect",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Show everything about containers",
	.options = container_table,
	.size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.which = CLI_WHICH_LATEST,
	.run = run_container,
};

const struct cli_command cli_inspect_image = {
	.names = "image inspect",
	.section = "Images",
	.arguments = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Show everything about images",
	.options = image_table,
	.size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_image,
};

const struct cli_command cli_inspect_volume = {
	.names = "volume inspect",
	.section = "Volumes",
	.arguments = "[OPTIONS] VOLUME [VOLUME...]",
	.summary = "Show everything about volumes",
	.options = format_table,
	.size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "volume:",
	.run = run_volume,
};

const struct cli_command cli_inspect_network = {
	.names = "network inspect",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK [NETWORK...]",
	.summary = "Show everything about networks",
	.options = format_table,
	.size = sizeof(struct inspect_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "network:",
	.run = run_network,
};
