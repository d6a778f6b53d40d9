/* read.h - nodes of YAML into structs, by tables: what a member is called, what it is, where it
 * goes. A member that no table knows is an error with its line. One that holm knows and has nothing
 * for is in the table, too, with the reason: left out with a warning where nothing else runs for
 * that, else refused. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

struct err;
struct yaml_node;

/* What lies at the offset. Absent, and null: zero. All is the pool's. */
enum kube_read_type {
	KUBE_READ_TEXT,     /* const char *: a string, and no number or the like without quotes */
	KUBE_READ_SCALAR,   /* const char *: a string or a number, as it is written */
	KUBE_READ_BOOL,     /* bool * */
	KUBE_READ_INT,      /* int64_t * */
	KUBE_READ_TEXTS,    /* struct kube_texts */
	KUBE_READ_SCALARS,  /* the same, also of numbers */
	KUBE_READ_MAP,      /* struct kube_pairs: strings */
	KUBE_READ_OBJECT,   /* a pointer to a struct of its shape */
	KUBE_READ_LIST,     /* struct kube_list: structs of its shape */
	KUBE_READ_LEFT_OUT, /* nothing; why says why that makes no difference */
	KUBE_READ_QUIETLY,  /* the same, and nobody has to be told */
	KUBE_READ_REFUSED,  /* nothing; why says what to do */
};

struct kube_read_field {
	const char *name; /* NULL ends the table */
	enum kube_read_type type;
	size_t offset;
	const struct kube_read_shape *shape; /* of objects and lists */
	const char *why;
};

/* The struct begins with `unsigned line`. */
struct kube_read_shape {
	size_t size;
	const struct kube_read_field *fields;
};

struct kube_texts {
	const char **items;
	size_t count;
};

struct kube_pair {
	const char *key, *value;
	unsigned line;
};

struct kube_pairs {
	struct kube_pair *items;
	size_t count;
};

struct kube_list {
	void *items;
	size_t count;
};

/* Reads a mapping. file names it in errors: "file:12: spec.hostname: ...". ERR_INVALID,
 * ERR_UNSUPPORTED for what is refused. *ret is the pool's. */
int kube_read(void **ret, struct pool *pool, const struct kube_read_shape *shape,
	      const struct yaml_node *node, const char *file, struct err *e);
