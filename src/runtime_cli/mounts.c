/* mounts.c - `mounts add ID FILE`, `mounts remove ID FILE`: mounts of a container that runs, as
 * with crun. FILE is an array of mounts as in config.json; of those to remove the destination
 * counts. */
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/mount_add.h"
#include "runtime_cli/command.h"
#include "runtime_cli/input.h"
#include "runtime_cli/record.h"

struct mount_list {
	SHAPE_LIST_OF(struct oci_mount) mounts;
};

static const struct shape list_shape = {
	sizeof(struct mount_list),
	(const struct shape_field[]){
		{ "mounts", SHAPE_LIST, offsetof(struct mount_list, mounts), &oci_mount_shape },
		{ 0 },
	},
};

static void list_clear(struct mount_list *list)
{
	shape_clear(&list_shape, list);
}

static int read_list(struct mount_list *to, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *array = NULL, *object = json_object_new_object();

	int r = runtime_cli_input_read(&text, path, e);
	if (r == 0)
		r = json_parse(&array, text.text ? text.text : "", text.length, path, e);
	if (r < 0)
		return r;
	json_object_object_add(object, "mounts", json_object_get(array));
	return shape_read(&list_shape, object, to, e);
}

static int change(struct runtime_cli_record *record, bool add, const struct mount_list *list,
		  struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct runtime_container *container = &record->container;
	const struct runtime_store store = runtime_cli_record_storing(record);
	struct err unstored;

	int r = runtime_cli_record_spec(&spec, record, e);
	if (r == 0)
		r = add ? runtime_mount_add(container, &spec, list->mounts.items,
					    list->mounts.count, record->bundle, &store, e)
			: runtime_mount_remove(container, list->mounts.items, list->mounts.count,
					       e);
	int stored = runtime_cli_record_store(record, r < 0 ? &unstored : e);
	return r < 0 ? r : stored;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(list_clear) struct mount_list list = { 0 };
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	bool add = str_equal(args->items[0], "add");

	(void)options;
	if (!add && !str_equal(args->items[0], "remove"))
		return err_set(e, ERR_INVALID, "mounts: '%s' is neither add nor remove",
			       args->items[0]);
	int r = read_list(&list, args->items[2], e);
	if (r == 0)
		r = runtime_cli_record_read(&record, cli, args->items[1], true, e);
	return r < 0 ? r : change(&record, add, &list, e);
}

const struct runtime_cli_command runtime_cli_mounts = {
	.name = "mounts",
	.arguments = "add|remove ID FILE",
	.summary = "mount into a running container, and unmount that again",
	.args_min = 3,
	.args_max = 3,
	.sealed = true,
	.run = run,
};
