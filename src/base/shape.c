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

/* ---- reading ---- */

static int read_text(char **to, struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_string))
		return err_set(e, ERR_CORRUPT, "not a string");

	const char *text = json_object_get_string(value);
	size_t length = (size_t)json_object_get_string_len(value);
	if (memchr(text, '\0', length))
		return err_set(e, ERR_CORRUPT, "a NUL byte in the string");
	*to = mem_text_n(text, length);
	return 0;
}

static int read_int(int64_t *to, struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_int))
		return err_set(e, ERR_CORRUPT, "not a whole number");

	int64_t number = json_object_get_int64(value);
	/* json-c cuts what does not fit to the limits of the type */
	if (number == INT64_MAX && json_object_get_uint64(value) != (uint64_t)INT64_MAX)
		return err_set(e, ERR_CORRUPT, "more than %lld", (long long)INT64_MAX);
	*to = number;
	return 0;
}

static int read_uint(uint64_t *to, struct json_object *value, uint64_t max, struct err *e)
{
	if (!json_object_is_type(value, json_type_int))
		return err_set(e, ERR_CORRUPT, "not a whole number");
	if (json_object_get_int64(value) < 0)
		return err_set(e, ERR_CORRUPT, "less than 0");

	uint64_t number = json_object_get_uint64(value);
	if (number > max)
		return err_set(e, ERR_CORRUPT, "more than %llu", (unsigned long long)max);
	*to = number;
	return 0;
}

static int read_bool(bool *to, struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_boolean))
		return err_set(e, ERR_CORRUPT, "neither true nor false");
	*to = json_object_get_boolean(value);
	return 0;
}

static int read_strings(struct strv *to, struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_array))
		return err_set(e, ERR_CORRUPT, "not an array");

	size_t count = json_object_array_length(value);
	if (count > SHAPE_ITEMS_MAX)
		return err_set(e, ERR_CORRUPT, "%zu elements are too many", count);
	for (size_t i = 0; i < count; i++) {
		char *text;
		int r = read_text(&text, json_object_array_get_idx(value, i), e);
		if (r < 0)
			return err_add(e, "[%zu]", i);
		strv_add_take(to, text);
	}
	return 0;
}

static int read_u32s(struct shape_u32s *to, struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_array))
		return err_set(e, ERR_CORRUPT, "not an array");

	size_t count = json_object_array_length(value);
	if (count > SHAPE_ITEMS_MAX)
		return err_set(e, ERR_CORRUPT, "%zu elements are too many", count);
	for (size_t i = 0; i < count; i++) {
		uint64_t number;
		if (read_uint(&number, json_object_array_get_idx(value, i), UINT32_MAX, e) < 0)
			return err_add(e, "[%zu]", i);
		to->items = shape_list_grow(to->items, to->count, sizeof(*to->items));
		to->items[to->count++] = (uint32_t)number;
	}
	return 0;
}

static int check_object(struct json_object *value, struct err *e)
{
	if (!json_object_is_type(value, json_type_object))
		return err_set(e, ERR_CORRUPT, "not an object");
	if (json_object_object_length(value) > SHAPE_ITEMS_MAX)
		return err_set(e, ERR_CORRUPT, "%d members are too many",
			       json_object_object_length(value));
	return 0;
}

static int read_keys(struct strv *to, struct json_object *value, struct err *e)
{
	int r = check_object(value, e);
	if (r < 0)
		return r;
	json_object_object_foreach (value, key, member) {
		(void)member;
		strv_add(to, key);
	}
	return 0;
}

static int read_map(struct shape_map *to, struct json_object *value, struct err *e)
{
	int r = check_object(value, e);
	if (r < 0)
		return r;
	json_object_object_foreach (value, key, member) {
		own_free char *text = NULL;
		if (member && read_text(&text, member, e) < 0)
			return err_add(e, "%s", key);
		to->items = shape_list_grow(to->items, to->count, sizeof(*to->items));
		to->items[to->count++] =
			(struct shape_pair){ mem_text(key), text ? take_ptr(&text) : mem_text("") };
	}
	return 0;
}

static int read_list(const struct shape *shape, struct list *to, struct json_object *value,
		     struct err *e)
{
	if (!json_object_is_type(value, json_type_array))
		return err_set(e, ERR_CORRUPT, "not an array");

	size_t count = json_object_array_length(value);
	if (count > SHAPE_ITEMS_MAX)
		return err_set(e, ERR_CORRUPT, "%zu elements are too many", count);
	for (size_t i = 0; i < count; i++) {
		to->items = shape_list_grow(to->items, to->count, shape->size);
		void *item = (char *)to->items + to->count++ * shape->size;
		if (shape_read(shape, json_object_array_get_idx(value, i), item, e) < 0)
			return err_add(e, "[%zu]", i);
	}
	return 0;
}

static int read_objects(const struct shape *shape, struct list *to, struct json_object *value,
			struct err *e)
{
	int r = check_object(value, e);
	if (r < 0)
		return r;
	json_object_object_foreach (value, key, member) {
		to->items = shape_list_grow(to->items, to->count, shape->size);
		void *item = (char *)to->items + to->count++ * shape->size;
		if (member && shape_read(shape, member, item, e) < 0)
			return err_add(e, "%s", key);
		*(char **)((char *)item + shape->fields[0].offset) = mem_text(key);
	}
	return 0;
}

static int read_scalar(const struct shape_field *field, struct json_object *value, void *at,
		       struct err *e)
{
	uint64_t number;

	switch (field->type) {
	case SHAPE_STRING:
		return read_text(at, value, e);
	case SHAPE_BOOL:
		return read_bool(at, value, e);
	case SHAPE_INT:
		return read_int(at, value, e);
	case SHAPE_UINT:
		return read_uint(at, value, UINT64_MAX, e);
	case SHAPE_U32:
		if (read_uint(&number, value, UINT32_MAX, e) < 0)
			return -e->number;
		*(uint32_t *)at = (uint32_t)number;
		return 0;
	case SHAPE_OPTIONAL_BOOL:
		return read_bool(*(void **)at = mem_new_struct(bool), value, e);
	case SHAPE_OPTIONAL_INT:
		return read_int(*(void **)at = mem_new_struct(int64_t), value, e);
	case SHAPE_OPTIONAL_UINT:
		return read_uint(*(void **)at = mem_new_struct(uint64_t), value, UINT64_MAX, e);
	default:
		return err_set(e, ERR_INTERNAL, "field type %d", (int)field->type);
	}
}

static int read_field(const struct shape_field *field, struct json_object *value, void *at,
		      struct err *e)
{
	switch (field->type) {
	case SHAPE_STRINGS:
		return read_strings(at, value, e);
	case SHAPE_KEYS:
		return read_keys(at, value, e);
	case SHAPE_U32S:
		return read_u32s(at, value, e);
	case SHAPE_MAP:
		return read_map(at, value, e);
	case SHAPE_OBJECT:
		return shape_read(field->shape, value, at, e);
	case SHAPE_OPTIONAL_OBJECT:
		return shape_read(field->shape, value,
				  *(void **)at = mem_new(1, field->shape->size), e);
	case SHAPE_LIST:
		return read_list(field->shape, at, value, e);
	case SHAPE_OBJECTS:
		return read_objects(field->shape, at, value, e);
	case SHAPE_ANY:
		*(struct json_object **)at = json_object_get(value);
		return 0;
	default:
		return read_scalar(field, value, at, e);
	}
}

int shape_read(const struct shape *shape, struct json_object *object, void *to, struct err *e)
{
	if (!json_object_is_type(object, json_type_object))
		return err_set(e, ERR_CORRUPT, "not an object");

	for (const struct shape_field *f = shape->fields; f->name; f++) {
		struct json_object *value;
		if (!*f->name || !json_object_object_get_ex(object, f->name, &value) || !value)
			continue;
		if (read_field(f, value, (char *)to + f->offset, e) < 0) {
			shape_clear(shape, to);
			return err_add(e, "%s", f->name);
		}
	}
	return 0;
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

int shape_read_at(const struct shape *shape, int dir_fd, const char *path, size_t bytes_max,
		  void *to, struct err *e)
{
	own_json struct json_object *object = NULL;
	int r = json_read_at(&object, dir_fd, path, bytes_max, e);
	if (r < 0)
		return r;
	if (shape_read(shape, object, to, e) < 0)
		return err_add(e, "%s", path);
	return 0;
}

int shape_write_at(const struct shape *shape, int dir_fd, const char *path, const void *from,
		   struct err *e)
{
	own_json struct json_object *object = shape_write(shape, from);
	return json_write_at(dir_fd, path, object, e);
}
