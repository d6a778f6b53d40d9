/* From text to struct in one pass (base/json_scan.h), without a tree in between. */
#include "base/shape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* Any SHAPE_LIST_OF: the element pointer's type differs, its place and size do not. */
struct list {
	void *items;
	size_t count;
};

static int read_object(const struct shape *shape, struct json_scan *s, void *to, struct err *e);

/* ---- one value ---- */

static int read_text(char **to, struct json_scan *s, struct err *e)
{
	struct json_span span;
	int r = json_scan_value(s, &span, e);

	if (r < 0)
		return r;
	if (span.text[0] != '"')
		return err_set(e, ERR_CORRUPT, "not a string");
	return json_scan_text(to, span, e);
}

static int read_bool(bool *to, struct json_scan *s, struct err *e)
{
	struct json_span span;
	int r = json_scan_value(s, &span, e);

	if (r < 0)
		return r;
	if (span.text[0] != 't' && span.text[0] != 'f')
		return err_set(e, ERR_CORRUPT, "neither true nor false");
	*to = span.text[0] == 't';
	return 0;
}

/* A whole number from -min to max: its sign and its size. */
static int read_number(bool *ret_negative, uint64_t *ret, struct json_scan *s, uint64_t min,
		       uint64_t max, struct err *e)
{
	struct json_span span;
	uint64_t number = 0;
	bool large = false;

	int r = json_scan_value(s, &span, e);
	if (r < 0)
		return r;
	bool negative = span.text[0] == '-';
	for (size_t i = negative; i < span.length; i++) {
		unsigned digit = (unsigned)(span.text[i] - '0');
		if (digit > 9)
			return err_set(e, ERR_CORRUPT, "not a whole number");
		large |= __builtin_mul_overflow(number, 10, &number);
		large |= __builtin_add_overflow(number, digit, &number);
	}
	if (!negative && (large || number > max))
		return err_set(e, ERR_CORRUPT, "more than %llu", (unsigned long long)max);
	if (negative && (large || number > min))
		return err_set(e, ERR_CORRUPT, "less than %s%llu", min ? "-" : "",
			       (unsigned long long)min);
	*ret_negative = negative;
	*ret = number;
	return 0;
}

static int read_int(int64_t *to, struct json_scan *s, struct err *e)
{
	bool negative;
	uint64_t number;
	int r = read_number(&negative, &number, s, (uint64_t)INT64_MAX + 1, INT64_MAX, e);

	if (r == 0)
		*to = (int64_t)(negative ? 0 - number : number);
	return r;
}

static int read_uint(uint64_t *to, struct json_scan *s, uint64_t max, struct err *e)
{
	bool negative;

	return read_number(&negative, to, s, 0, max, e);
}

static int read_u32(uint32_t *to, struct json_scan *s, struct err *e)
{
	uint64_t number;
	int r = read_uint(&number, s, UINT32_MAX, e);

	if (r == 0)
		*to = (uint32_t)number;
	return r;
}

static int read_any(struct json_object **to, struct json_scan *s, struct err *e)
{
	struct json_span span;
	int r = json_scan_value(s, &span, e);

	return r < 0 ? r : json_parse(to, span.text, span.length, "value", e);
}

/* ---- arrays and objects of many ---- */

static int open_bracket(struct json_scan *s, char bracket, struct err *e)
{
	if (json_scan_peek(s) == bracket)
		return json_scan_open(s, bracket, e);
	int r = json_scan_value(s, NULL, e);
	return r < 0 ? r
		     : err_set(e, ERR_CORRUPT, "not an %s", bracket == '[' ? "array" : "object");
}

/* 1 before the next of them, of which there have been count; 0: that was all. */
static int next(struct json_scan *s, char closing, size_t count, struct err *e)
{
	int r = json_scan_next(s, closing, e);

	if (r > 0 && count == SHAPE_ITEMS_MAX)
		return err_set(e, ERR_CORRUPT, "more than %d are too many", SHAPE_ITEMS_MAX);
	return r;
}

static int read_strings(struct strv *to, struct json_scan *s, struct err *e)
{
	int r = open_bracket(s, '[', e);

	while (r == 0) {
		char *text;
		r = next(s, ']', to->count, e);
		if (r <= 0)
			return r;
		r = read_text(&text, s, e);
		if (r < 0)
			return err_add(e, "[%zu]", to->count);
		strv_add_take(to, text);
	}
	return r;
}

static int read_u32s(struct shape_u32s *to, struct json_scan *s, struct err *e)
{
	int r = open_bracket(s, '[', e);

	while (r == 0) {
		uint32_t number = 0;
		r = next(s, ']', to->count, e);
		if (r <= 0)
			return r;
		r = read_u32(&number, s, e);
		if (r < 0)
			return err_add(e, "[%zu]", to->count);
		to->items = shape_list_grow(to->items, to->count, sizeof(*to->items));
		to->items[to->count++] = number;
	}
	return r;
}

static int read_list(const struct shape *shape, struct list *to, struct json_scan *s, struct err *e)
{
	int r = open_bracket(s, '[', e);

	while (r == 0) {
		r = next(s, ']', to->count, e);
		if (r <= 0)
			return r;
		to->items = shape_list_grow(to->items, to->count, shape->size);
		void *item = (char *)to->items + to->count++ * shape->size;
		r = read_object(shape, s, item, e);
		if (r < 0)
			return err_add(e, "[%zu]", to->count - 1);
	}
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What one reader takes for the first value and another for the last is none. */
static int refuse_twins(const struct strv *keys, struct err *e)
{
	if (keys->count < 2)
		return 0;
	own_free char **sorted = mem_new(keys->count, sizeof(*sorted));
	memcpy(sorted, keys->items, keys->count * sizeof(*sorted));
	qsort(sorted, keys->count, sizeof(*sorted), by_text);
	for (size_t i = 1; i < keys->count; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return err_set(e, ERR_CORRUPT, "%s: it is there twice", sorted[i]);
	return 0;
}

/* All members of an object; their values go where the field's type says. */
static int read_member(const struct shape_field *field, struct json_scan *s, const char *key,
		       void *at, struct err *e)
{
	struct shape_map *map = at;
	struct list *list = at;
	void *item;

	if (field->type == SHAPE_KEYS)
		return json_scan_value(s, NULL, e);
	if (field->type == SHAPE_MAP) {
		own_free char *value = NULL;
		bool null = json_scan_peek(s) == 'n';
		int r = null ? json_scan_value(s, NULL, e) : read_text(&value, s, e);
		if (r < 0)
			return r;
		map->items = shape_list_grow(map->items, map->count, sizeof(*map->items));
		map->items[map->count++] =
			(struct shape_pair){ mem_text(key),
					     value ? take_ptr(&value) : mem_text("") };
		return 0;
	}
	list->items = shape_list_grow(list->items, list->count, field->shape->size);
	item = (char *)list->items + list->count++ * field->shape->size;
	*(char **)((char *)item + field->shape->fields[0].offset) = mem_text(key);
	if (json_scan_peek(s) == 'n')
		return json_scan_value(s, NULL, e);
	return read_object(field->shape, s, item, e);
}

static int read_members(const struct shape_field *field, struct json_scan *s, void *at,
			struct strv *keys, struct err *e)
{
	int r = open_bracket(s, '{', e);

	while (r == 0) {
		struct json_span span;
		char *key;
		r = next(s, '}', keys->count, e);
		if (r <= 0)
			return r;
		r = json_scan_key(s, &span, e);
		if (r == 0)
			r = json_scan_text(&key, span, e);
		if (r < 0)
			return r;
		strv_add_take(keys, key);
		r = read_member(field, s, key, at, e);
		if (r < 0)
			return err_add(e, "%s", key);
	}
	return r;
}

static int read_named(const struct shape_field *field, struct json_scan *s, void *at, struct err *e)
{
	own_clear(strv_clear) struct strv keys = { 0 };

	int r = read_members(field, s, at, &keys, e);
	if (r == 0)
		r = refuse_twins(&keys, e);
	if (r == 0 && field->type == SHAPE_KEYS) {
		*(struct strv *)at = keys;
		keys = (struct strv){ 0 };
	}
	return r;
}

/* ---- structs ---- */

static int read_field(const struct shape_field *field, struct json_scan *s, void *at, struct err *e)
{
	switch (field->type) {
	case SHAPE_STRING:
		return read_text(at, s, e);
	case SHAPE_BOOL:
		return read_bool(at, s, e);
	case SHAPE_INT:
		return read_int(at, s, e);
	case SHAPE_UINT:
		return read_uint(at, s, UINT64_MAX, e);
	case SHAPE_U32:
		return read_u32(at, s, e);
	case SHAPE_OPTIONAL_BOOL:
		return read_bool(*(void **)at = mem_new_struct(bool), s, e);
	case SHAPE_OPTIONAL_INT:
		return read_int(*(void **)at = mem_new_struct(int64_t), s, e);
	case SHAPE_OPTIONAL_UINT:
		return read_uint(*(void **)at = mem_new_struct(uint64_t), s, UINT64_MAX, e);
	case SHAPE_STRINGS:
		return read_strings(at, s, e);
	case SHAPE_U32S:
		return read_u32s(at, s, e);
	case SHAPE_OBJECT:
		return read_object(field->shape, s, at, e);
	case SHAPE_OPTIONAL_OBJECT:
		return read_object(field->shape, s, *(void **)at = mem_new(1, field->shape->size),
				   e);
	case SHAPE_LIST:
		return read_list(field->shape, at, s, e);
	case SHAPE_KEYS:
	case SHAPE_MAP:
	case SHAPE_OBJECTS:
		return read_named(field, s, at, e);
	case SHAPE_ANY:
		return read_any(at, s, e);
	}
	return err_set(e, ERR_INTERNAL, "field type %d", (int)field->type);
}

static const struct shape_field *find_named(const struct shape *shape, const char *name)
{
	for (const struct shape_field *f = shape->fields; f->name; f++)
		if (*f->name && strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* *ret: the field of this name, or NULL. */
static int find_field(const struct shape_field **ret, const struct shape *shape,
		      struct json_span key, struct err *e)
{
	own_free char *text = NULL;

	if (memchr(key.text, '\\', key.length)) {
		int r = json_scan_text(&text, key, e);
		if (r == 0)
			*ret = find_named(shape, text);
		return r;
	}
	for (const struct shape_field *f = shape->fields; f->name; f++)
		/* most differ in the first byte: a call less for each */
		if (*f->name && *f->name == key.text[1] && json_scan_is(key, f->name)) {
			*ret = f;
			break;
		}
	return 0;
}

/* seen has a bit for each field, since the same member twice is refused. */
static int read_one(const struct shape *shape, struct json_scan *s, void *to, uint64_t *seen,
		    struct err *e)
{
	const struct shape_field *field = NULL;
	struct json_span key;

	int r = json_scan_key(s, &key, e);
	if (r == 0)
		r = find_field(&field, shape, key, e);
	if (r < 0)
		return r;
	if (!field)
		return json_scan_value(s, NULL, e);
	assert(field - shape->fields < 64);
	uint64_t bit = 1ULL << (field - shape->fields);
	if (*seen & bit)
		return err_set(e, ERR_CORRUPT, "%s: it is there twice", field->name);
	*seen |= bit;
	if (json_scan_peek(s) == 'n')
		return json_scan_value(s, NULL, e);
	r = read_field(field, s, (char *)to + field->offset, e);
	return r < 0 ? err_add(e, "%s", field->name) : 0;
}

static int read_object(const struct shape *shape, struct json_scan *s, void *to, struct err *e)
{
	uint64_t seen = 0;
	size_t count = 0;
	int r = open_bracket(s, '{', e);

	while (r == 0) {
		r = next(s, '}', count++, e);
		if (r <= 0)
			return r;
		r = read_one(shape, s, to, &seen, e);
	}
	return r;
}

int shape_read_text(const struct shape *shape, const char *text, size_t length, void *to,
		    struct err *e)
{
	struct json_scan scan = json_scan_begin(text, length);

	int r = read_object(shape, &scan, to, e);
	if (r == 0)
		r = json_scan_end(&scan, e);
	if (r < 0)
		shape_clear(shape, to);
	return r;
}

int shape_read(const struct shape *shape, struct json_object *object, void *to, struct err *e)
{
	const char *text = json_text(object);

	return shape_read_text(shape, text, strlen(text), to, e);
}

int shape_read_at(const struct shape *shape, int dir_fd, const char *path, size_t bytes_max,
		  void *to, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = fd_read_file_at(dir_fd, path, bytes_max, &text, e);
	if (r < 0)
		return r;
	r = shape_read_text(shape, text.text ? text.text : "", text.length, to, e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}
