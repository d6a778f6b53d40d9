/* shape.h - structs to JSON and back by one table: name, type and offset of each member. A format
 * (runtime spec, image config, a record of holm's own) is such a table and nothing else; reading,
 * writing, clearing and the error that names the member's path all follow from it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

struct err;

/* What lies at the offset. JSON null and an absent member leave zero (NULL, 0, false, empty). */
enum shape_type {
	SHAPE_STRING,        /* char *; a NUL inside is refused */
	SHAPE_BOOL,          /* bool */
	SHAPE_INT,           /* int64_t */
	SHAPE_UINT,          /* uint64_t */
	SHAPE_U32,           /* uint32_t */
	SHAPE_OPTIONAL_BOOL, /* bool *, NULL when absent */
	SHAPE_OPTIONAL_INT,  /* int64_t * */
	SHAPE_OPTIONAL_UINT, /* uint64_t * */
	SHAPE_STRINGS,       /* struct strv */
	SHAPE_KEYS,          /* struct strv: the names of an object whose values are {} (Go sets) */
	SHAPE_U32S,          /* struct shape_u32s: an array of numbers */
	SHAPE_MAP,           /* struct shape_map: an object of strings */
	SHAPE_OBJECT,        /* a struct of its own shape, by value */
	SHAPE_OPTIONAL_OBJECT, /* a pointer to a struct of its own shape, NULL when absent */
	SHAPE_LIST,            /* SHAPE_LIST_OF(struct x): an array of objects of one shape */
	SHAPE_OBJECTS, /* SHAPE_LIST_OF(struct x), written as an object; the shape's first field, a
			* string named "", takes the member's name */
	SHAPE_ANY,     /* struct json_object *, kept as it is */
};

struct shape_field {
	const char *name; /* NULL ends the table */
	enum shape_type type;
	size_t offset;
	const struct shape *shape; /* of objects and lists */
	bool keep; /* written when zero or empty, too (Docker's and OCI's required members) */
};

struct shape {
	size_t size;
	const struct shape_field *fields; /* at most 64 */
};

struct shape_u32s {
	uint32_t *items;
	size_t count;
};

struct shape_pair {
	char *key;
	char *value;
};

struct shape_map {
	struct shape_pair *items;
	size_t count;
};

#define SHAPE_LIST_OF(type)                                                                        \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
	}

/* More elements than this in one array or object are refused (ERR_CORRUPT). */
enum { SHAPE_ITEMS_MAX = 100000 };

/* Reads a JSON text of length bytes into the zeroed struct at to. Unknown members are ignored, as
 * the OCI specifications ask; a known one that is there twice is refused. On failure (ERR_CORRUPT)
 * what was read is cleared again; the error names the path:
 * "linux.resources.memory.limit: not a whole number". */
int shape_read_text(const struct shape *shape, const char *text, size_t length, void *to,
		    struct err *e);

/* The same for what has been parsed already. */
int shape_read(const struct shape *shape, struct json_object *object, void *to, struct err *e);

/* The caller's (json_object_put). Never fails. */
struct json_object *shape_write(const struct shape *shape, const void *from);

/* Frees all that the members own, and zeroes the struct. */
void shape_clear(const struct shape *shape, void *from);

/* Both in one: a file of JSON below a folder. */
int shape_read_at(const struct shape *shape, int dir_fd, const char *path, size_t bytes_max,
		  void *to, struct err *e);
int shape_write_at(const struct shape *shape, int dir_fd, const char *path, const void *from,
		   struct err *e);

/* Adds a zeroed element to a SHAPE_LIST_OF list and returns it: shape_list_add(&spec->mounts). */
#define shape_list_add(list)                                                                       \
	({                                                                                         \
		(list)->items =                                                                    \
			shape_list_grow((list)->items, (list)->count, sizeof(*(list)->items));     \
		&(list)->items[(list)->count++];                                                   \
	})
void *shape_list_grow(void *items, size_t count, size_t size);

const char *shape_map_get(const struct shape_map *map, const char *key); /* borrowed, or NULL */
void shape_map_set(struct shape_map *map, const char *key, const char *value); /* copies */
/* Sets each "KEY=VALUE" ("KEY" alone: ""). ERR_INVALID names option, and what is neither. */
int shape_map_set_pairs(struct shape_map *map, const struct strv *pairs, const char *option,
			struct err *e);
void shape_map_clear(struct shape_map *map);
