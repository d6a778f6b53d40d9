/* Any bytes: shape_read_text() refuses them, or what it gives can be written and read again to the
 * same text; and what it takes for JSON is JSON to json-c, too. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct leaf {
	char *name;
	int64_t number;
	uint64_t *limit;
};

static const struct shape leaf_shape = {
	sizeof(struct leaf),
	(const struct shape_field[]){
		{ "", SHAPE_STRING, offsetof(struct leaf, name) },
		{ "n", SHAPE_INT, offsetof(struct leaf, number), .keep = true },
		{ "l", SHAPE_OPTIONAL_UINT, offsetof(struct leaf, limit) },
		{ 0 },
	},
};

struct tree {
	char *string;
	bool truth;
	uint64_t size;
	uint32_t id;
	bool *maybe;
	int64_t *offset;
	struct strv strings;
	struct strv keys;
	struct shape_map map;
	struct leaf object;
	struct leaf *optional;
	SHAPE_LIST_OF(struct leaf) list;
	SHAPE_LIST_OF(struct leaf) named;
	struct json_object *any;
};

static const struct shape tree_shape = {
	sizeof(struct tree),
	(const struct shape_field[]){
		{ "s", SHAPE_STRING, offsetof(struct tree, string) },
		{ "b", SHAPE_BOOL, offsetof(struct tree, truth) },
		{ "u", SHAPE_UINT, offsetof(struct tree, size) },
		{ "i", SHAPE_U32, offsetof(struct tree, id) },
		{ "m", SHAPE_OPTIONAL_BOOL, offsetof(struct tree, maybe) },
		{ "o", SHAPE_OPTIONAL_INT, offsetof(struct tree, offset) },
		{ "v", SHAPE_STRINGS, offsetof(struct tree, strings) },
		{ "k", SHAPE_KEYS, offsetof(struct tree, keys) },
		{ "p", SHAPE_MAP, offsetof(struct tree, map) },
		{ "a", SHAPE_OBJECT, offsetof(struct tree, object), &leaf_shape },
		{ "q", SHAPE_OPTIONAL_OBJECT, offsetof(struct tree, optional), &leaf_shape },
		{ "l", SHAPE_LIST, offsetof(struct tree, list), &leaf_shape },
		{ "n", SHAPE_OBJECTS, offsetof(struct tree, named), &leaf_shape },
		{ "j", SHAPE_ANY, offsetof(struct tree, any) },
		{ 0 },
	},
};

/* The text that bytes give when read by the shape and written again, or NULL. */
static char *write_again(const char *bytes, size_t length)
{
	own_json struct json_object *object = NULL;
	struct tree tree = { 0 };
	struct err e = { 0 };

	if (shape_read_text(&tree_shape, bytes, length, &tree, &e) < 0) {
		static const struct tree zero;
		assert(e.text[0]);
		assert(memcmp(&tree, &zero, sizeof(tree)) == 0);
		return NULL;
	}
	assert(json_parse(&object, bytes, length, "fuzz", &e) == 0);
	own_json struct json_object *written = shape_write(&tree_shape, &tree);
	char *text = mem_text(json_text(written));
	shape_clear(&tree_shape, &tree);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *first = write_again((const char *)bytes, length);

	if (first) {
		own_free char *second = write_again(first, strlen(first));
		assert(second && strcmp(first, second) == 0);
	}
	return 0;
}
