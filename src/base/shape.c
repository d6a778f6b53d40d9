#include "base/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Any SHAPE_LIST_OF: the element pointer's type differs, its place and size do not. */
struct list {
	void *items;
	size_t count;
};

void *shape_list_grow(void *items, size_t count, size_t size)
{
	/* room doubles at powers of two, so growth is linear over all */
	if ((count & (count - 1)) == 0)
		items = mem_resize(items, count ? count * 2 : 1, size);
	memset((char *)items + count * size, 0, size);
	return items;
}

const char *shape_map_get(const struct shape_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->items[i].key, key) == 0)
			return map->items[i].value;
	return NULL;
}

void shape_map_set(struct shape_map *map, const char *key, const char *value)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->items[i].key, key) == 0) {
			mem_replace(&map->items[i].value, value);
			return;
		}
	map->items = shape_list_grow(map->items, map->count, sizeof(*map->items));
	map->items[map->count++] = (struct shape_pair){ mem_text(key), mem_text(value) };
}

int shape_map_set_pairs(struct shape_map *map, const struct strv *pairs, const char *option,
			struct err *e)
{
	for (size_t i = 0; pairs && i < pairs->count; i++) {
		own_free char *key = mem_text(pairs->items[i]);
		char *equals = strchr(key, '=');
		if (equals)
			*equals++ = '\0';
		if (!*key)
			return err_set(e, ERR_INVALID, "%s: '%s' is not written KEY=VALUE", option,
				       pairs->items[i]);
		shape_map_set(map, key, equals ? equals : "");
	}
	return 0;
}

void shape_map_clear(struct shape_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->items[i].key);
		free(map->items[i].value);
	}
	free(map->items);
	*map = (struct shape_map){ 0 };
}

/* ---- clearing ---- */

static void clear_list(const struct shape *shape, struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		shape_clear(shape, (char *)list->items + i * shape->size);
	free(list->items);
	*list = (struct list){ 0 };
}

static void clear_field(const struct shape_field *field, void *at)
{
	void *pointer;

	switch (field->type) {
	case SHAPE_STRING:
	case SHAPE_OPTIONAL_BOOL:
	case SHAPE_OPTIONAL_INT:
	case SHAPE_OPTIONAL_UINT:
		free(*(void **)at);
		break;
	case SHAPE_STRINGS:
	case SHAPE_KEYS:
		strv_clear(at);
		break;
	case SHAPE_U32S:
		free(((struct shape_u32s *)at)->items);
		*(struct shape_u32s *)at = (struct shape_u32s){ 0 };
		break;
	case SHAPE_MAP:
		shape_map_clear(at);
		break;
	case SHAPE_OBJECT:
		shape_clear(field->shape, at);
		break;
	case SHAPE_OPTIONAL_OBJECT:
		pointer = *(void **)at;
		if (pointer)
			shape_clear(field->shape, pointer);
		free(pointer);
		break;
	case SHAPE_LIST:
	case SHAPE_OBJECTS:
		clear_list(field->shape, at);
		break;
	case SHAPE_ANY:
		json_object_put(*(struct json_object **)at);
		break;
	case SHAPE_BOOL:
	case SHAPE_INT:
	case SHAPE_UINT:
	case SHAPE_U32:
		break;
	}
}

void shape_clear(const struct shape *shape, void *from)
{
	for (const struct shape_field *f = shape->fields; f->name; f++)
		clear_field(f, (char *)from + f->offset);
	memset(from, 0, shape->size);
}

/* ---- writing ---- */

static struct json_object *write_strings(const struct strv *v)
{
	struct json_object *array = json_object_new_array_ext((int)v->count);

	for (size_t i = 0; i < v->count; i++)
		json_object_array_add(array, json_object_new_string(v->items[i]));
	return array;
}

static struct json_object *write_u32s(const struct shape_u32s *v)
{
	struct json_object *array = json_object_new_array_ext((int)v->count);

	for (size_t i = 0; i < v->count; i++)
		json_object_array_add(array, json_object_new_int64(v->items[i]));
	return array;
}

static struct json_object *write_keys(const struct strv *v)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < v->count; i++)
		json_object_object_add(object, v->items[i], json_object_new_object());
	return object;
}

static struct json_object *write_map(const struct shape_map *map)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < map->count; i++)
		json_object_object_add(object, map->items[i].key,
				       json_object_new_string(map->items[i].value));
	return object;
}

static struct json_object *write_list(const struct shape *shape, const struct list *list)
{
	struct json_object *array = json_object_new_array_ext((int)list->count);

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(
			array, shape_write(shape, (const char *)list->items + i * shape->size));
	return array;
}

static struct json_object *write_objects(const struct shape *shape, const struct list *list)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->items + i * shape->size;
		const char *key = *(char *const *)(item + shape->fields[0].offset);
		json_object_object_add(object, key, shape_write(shape, item));
	}
	return object;
}

static bool is_zero(enum shape_type type, const void *at)
{
	switch (type) {
	case SHAPE_BOOL:
		return !*(const bool *)at;
	case SHAPE_INT:
	case SHAPE_UINT:
		return !*(const uint64_t *)at;
	case SHAPE_U32:
		return !*(const uint32_t *)at;
	case SHAPE_STRINGS:
	case SHAPE_U32S:
	case SHAPE_KEYS:
	case SHAPE_MAP:
	case SHAPE_LIST:
	case SHAPE_OBJECTS:
		return !((const struct list *)at)->count;
	case SHAPE_OBJECT:
		return false;
	default:
		return !*(void *const *)at;
	}
}

/* Of a member that is there. */
static struct json_object *write_optional(const struct shape_field *field, const void *value)
{
	switch (field->type) {
	case SHAPE_OPTIONAL_BOOL:
		return json_object_new_boolean(*(const bool *)value);
	case SHAPE_OPTIONAL_INT:
		return json_object_new_int64(*(const int64_t *)value);
	case SHAPE_OPTIONAL_UINT:
		return json_object_new_uint64(*(const uint64_t *)value);
	default:
		return shape_write(field->shape, value);
	}
}

/* NULL: the member is empty. */
static struct json_object *write_value(const struct shape_field *field, const void *at, bool keep)
{
	const char *text;

	if (!keep && is_zero(field->type, at))
		return NULL;

	switch (field->type) {
	case SHAPE_STRING:
		text = *(char *const *)at;
		return json_object_new_string(text ? text : "");
	case SHAPE_BOOL:
		return json_object_new_boolean(*(const bool *)at);
	case SHAPE_INT:
		return json_object_new_int64(*(const int64_t *)at);
	case SHAPE_UINT:
		return json_object_new_uint64(*(const uint64_t *)at);
	case SHAPE_U32:
		return json_object_new_int64(*(const uint32_t *)at);
	case SHAPE_OPTIONAL_BOOL:
	case SHAPE_OPTIONAL_INT:
	case SHAPE_OPTIONAL_UINT:
	case SHAPE_OPTIONAL_OBJECT:
		return is_zero(field->type, at) ? NULL : write_optional(field, *(void *const *)at);
	case SHAPE_STRINGS:
		return write_strings(at);
	case SHAPE_U32S:
		return write_u32s(at);
	case SHAPE_KEYS:
		return write_keys(at);
	case SHAPE_MAP:
		return write_map(at);
	case SHAPE_LIST:
		return write_list(field->shape, at);
	case SHAPE_OBJECTS:
		return write_objects(field->shape, at);
	case SHAPE_OBJECT:
		return shape_write(field->shape, at);
	case SHAPE_ANY:
		return json_object_get(*(struct json_object *const *)at);
	}
	return NULL;
}

struct json_object *shape_write(const struct shape *shape, const void *from)
{
	struct json_object *object = json_object_new_object();

	for (const struct shape_field *f = shape->fields; f->name; f++) {
		if (!*f->name)
			continue;
		struct json_object *value = write_value(f, (const char *)from + f->offset, f->keep);
		bool hollow = f->type == SHAPE_OBJECT && !f->keep && value &&
			      json_object_object_length(value) == 0;
		if (hollow)
			json_object_put(value);
		else if (value || f->keep)
			json_object_object_add(object, f->name, value);
	}
	return object;
}

int shape_write_at(const struct shape *shape, int dir_fd, const char *path, const void *from,
		   struct err *e)
{
	own_json struct json_object *object = shape_write(shape, from);
	return json_write_at(dir_fd, path, object, e);
}
