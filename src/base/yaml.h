/* yaml.h - the bytes of a YAML file as trees of nodes that know their lines, by libyaml's events.
 * The file may come from anywhere: everything is bounded, an alias is a copy that counts as what it
 * stands for, and what readers of YAML understand in different ways is refused: keys that are there
 * twice, merge keys, tags. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"

struct err;

enum {
	YAML_BYTES_MAX = 8 << 20, /* etcd takes objects of 1.5 MiB */
	YAML_NODES_MAX = 100000,
	YAML_DEPTH_MAX = 64,
	YAML_MEMBERS_MAX = 1024, /* of one mapping */
	YAML_ANCHORS_MAX = 256,
};

enum yaml_node_kind {
	YAML_NODE_SCALAR,
	YAML_NODE_MAP,
	YAML_NODE_LIST,
};

struct yaml_node {
	enum yaml_node_kind kind;
	unsigned line;
	const char *key; /* of a member of a mapping */
	unsigned key_line;
	const char *text; /* of a scalar, without a NUL in it */
	bool plain;       /* it stood without quotes, and may be a number or the like */
	size_t count;     /* of its children */
	struct yaml_node *first, *last;
	struct yaml_node *next; /* the next one below the same parent */
};

/* The documents of the text, as the children of a list. what names it in errors, "what:12: ...".
 * ERR_INVALID. All is the pool's. */
int yaml_parse(struct yaml_node **ret, struct pool *pool, const char *text, size_t length,
	       const char *what, struct err *e);

/* A member of a mapping; NULL: it has none, or is no mapping, or NULL itself. */
const struct yaml_node *yaml_member(const struct yaml_node *node, const char *key);

/* The text of a member that is a scalar, or NULL. */
const char *yaml_text(const struct yaml_node *node, const char *key);

/* What a scalar is to those who write Kubernetes' files: YAML 1.1, as Go's library has it. */
enum yaml_type {
	YAML_TEXT,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
};
enum yaml_type yaml_type_of(const char *text);

/* Nothing is said: "", "~" or "null" without quotes. */
bool yaml_is_null(const struct yaml_node *node);
