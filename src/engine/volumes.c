#include "engine/volumes.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/name.h"
#include "engine/prune.h"
#include "engine/volume.h"
#include "engine/volume_mount.h"
#include "storage/volume.h"

int engine_volumes_create(struct engine *engine, const char *name, const char *driver,
			  const struct strv *labels, const struct strv *options, char **ret_name,
			  struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	char id[CONTAINER_ID_LENGTH + 1];

	if (str_empty(name))
		engine_id_generate(id);
	volume.anonymous = str_empty(name);
	volume.name = mem_text(volume.anonymous ? id : name);
	volume.driver = mem_text("local");
	int r = shape_map_set_pairs(&volume.labels, labels, "--label", e);
	if (r == 0)
		r = shape_map_set_pairs(&volume.options, options, "--opt", e);
	if (str_equal(driver, "tmpfs")) {
		shape_map_set(&volume.options, "type", "tmpfs");
		shape_map_set(&volume.options, "device", "tmpfs");
	}
	if (r == 0 && engine_volume_mount_check(&volume, e) < 0)
		r = -e->number;
	if (r == 0)
		r = storage_volume_create(engine->store, &volume, e);
	if (r < 0)
		return r;
	if (r == 0)
		engine_event(engine, "volume", "create", volume.name, "driver", "local", NULL);
	*ret_name = take_ptr(&volume.name);
	return r;
}

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

static struct json_object *pairs(const struct shape_map *map)
{
	if (!map->count)
		return NULL;
	struct json_object *object = json_object_new_object();
	for (size_t i = 0; i < map->count; i++)
		add(object, map->items[i].key, map->items[i].value);
	return object;
}

static struct json_object *describe(struct engine *engine, const struct storage_volume *volume)
{
	struct json_object *object = json_object_new_object();
	own_free char *path = storage_volume_path(engine->store, volume->name);

	add(object, "CreatedAt", volume->created);
	add(object, "Driver", volume->driver);
	json_object_object_add(object, "Labels", pairs(&volume->labels));
	add(object, "Mountpoint", path);
	add(object, "Name", volume->name);
	json_object_object_add(object, "Options", pairs(&volume->options));
	add(object, "Scope", "local");
	return object;
}

int engine_volumes_list(struct engine *engine, bool use, struct json_object **ret, struct err *e)
{
	own_clear(storage_volumes_clear) struct storage_volumes volumes = { 0 };

	int r = storage_volume_list(&volumes, engine->store, e);
	if (r < 0)
		return r;
	*ret = json_object_new_array();
	for (size_t i = 0; i < volumes.items.count; i++) {
		const struct storage_volume *volume = &volumes.items.items[i];
		struct json_object *object = describe(engine, volume);
		if (use)
			json_object_object_add(object, "Used",
					       json_object_new_boolean(engine_volume_is_used(
						       engine, volume->name, NULL)));
		json_object_array_add(*ret, object);
	}
	return 0;
}

int engine_volumes_inspect(struct engine *engine, const char *name, struct json_object **ret,
			   struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	int r = storage_volume_read(&volume, engine->store, name, e);

	if (r == 0)
		*ret = describe(engine, &volume);
	return r;
}

static int remove_volume(struct engine *engine, const char *name, uint64_t *bytes, struct err *e)
{
	int r = engine_volume_unmount(engine, name, e);

	if (r == 0)
		r = storage_volume_remove(engine->store, name, bytes, e);

	if (r == 0)
		engine_event(engine, "volume", "destroy", name, "driver", "local", NULL);
	return r;
}

int engine_volumes_remove(struct engine *engine, const char *name, bool force, struct err *e)
{
	int r = storage_volume_check_name(name, e);

	if (r < 0)
		return r;
	if (engine_volume_is_used(engine, name, NULL)) {
		err_set(e, ERR_STATE, "the volume is used by a container");
		return err_hint(e, "holm ps -a --filter volume=%s shows which", name);
	}
	r = remove_volume(engine, name, NULL, e);
	return r < 0 && force && e->kind == ERR_NOT_FOUND ? 0 : r;
}

static bool fits(const struct storage_volume *volume, const struct prune_filter *filter)
{
	own_clear(strv_clear) struct strv labels = { 0 };
	int64_t created_ns = 0;
	struct err ignored;

	if (volume->created)
		moment_parse(&created_ns, volume->created, &ignored);
	prune_filter_labels(&labels, &volume->labels);
	return prune_filter_matches(filter, created_ns, &labels);
}

int engine_volumes_prune(struct engine *engine, bool all, const struct prune_filter *filter,
			 struct strv *done, uint64_t *ret_bytes, struct err *e)
{
	own_clear(storage_volumes_clear) struct storage_volumes volumes = { 0 };
	int r = storage_volume_list(&volumes, engine->store, e);

	*ret_bytes = 0;
	for (size_t i = 0; r == 0 && i < volumes.items.count; i++) {
		const struct storage_volume *volume = &volumes.items.items[i];
		uint64_t bytes = 0;
		if ((!volume->anonymous && !all && !filter->all) || !fits(volume, filter) ||
		    engine_volume_is_used(engine, volume->name, NULL))
			continue;
		r = remove_volume(engine, volume->name, &bytes, e);
		*ret_bytes += bytes;
		if (r == 0)
			strv_add(done, volume->name);
	}
	if (r == 0)
		engine_event_pruned(engine, "volume", *ret_bytes);
	return r;
}
