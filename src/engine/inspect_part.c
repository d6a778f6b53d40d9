#include "engine/inspect_part.h"

#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/shape.h"

void inspect_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

void inspect_number(struct json_object *to, const char *key, int64_t value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

void inspect_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

void inspect_moment(struct json_object *to, const char *key, int64_t ns)
{
	char text[MOMENT_TEXT_SIZE];

	if (ns)
		moment_format(text, ns);
	inspect_text(to, key, ns ? text : "0001-01-01T00:00:00Z");
}

void inspect_strings(struct json_object *to, const char *key, const struct strv *list, bool null)
{
	struct json_object *array = NULL;

	if (list->count || !null) {
		array = json_object_new_array();
		for (size_t i = 0; i < list->count; i++)
			json_object_array_add(array, json_object_new_string(list->items[i]));
	}
	json_object_object_add(to, key, array);
}

void inspect_map(struct json_object *to, const char *key, const struct shape_map *map)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < map->count; i++)
		inspect_text(object, map->items[i].key, map->items[i].value);
	json_object_object_add(to, key, object);
}

static struct json_object *id_lines(const struct oci_id_mappings *maps)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_mapping *m = &maps->items[i];
		own_free char *line = mem_format("%u:%u:%u", m->container_id, m->host_id, m->size);
		json_object_array_add(to, json_object_new_string(line));
	}
	return to;
}

struct json_object *inspect_ids(const struct runtime_idmap *ids)
{
	if (ids->uids.count == 0)
		return NULL;
	struct json_object *to = json_object_new_object();
	json_object_object_add(to, "UidMap", id_lines(&ids->uids));
	json_object_object_add(to, "GidMap", id_lines(&ids->gids));
	return to;
}

void inspect_unsaid(struct json_object *to, const struct inspect_unsaid *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = NULL;
		if (rows[i].type == INSPECT_TEXT)
			value = json_object_new_string("");
		else if (rows[i].type == INSPECT_NUMBER)
			value = json_object_new_int(0);
		else if (rows[i].type == INSPECT_FALSE)
			value = json_object_new_boolean(false);
		else if (rows[i].type == INSPECT_LIST)
			value = json_object_new_array();
		json_object_object_add(to, rows[i].key, value);
	}
}
