/* yaml.h - the bytes of a YAML file as trees of nodes that know their lines, by libyaml's events.
 * The file may come from anywhere: everything is bounded, an alias is a copy that counts as what it
 * stands for, and what readers of YAML understand in different ways is refused: keys that are there
 * twice, merge keys, tags. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "kube/pool.h"

struct err;

enum {
	KUBE_YAML_BYTES_MAX = 8 << 20, /* etcd takes objects of 1.5 MiB */
	KUBE_YAML_NODES_MAX = 100000,
	KUBE_YAML_DEPTH_MAX = 64,
	KUBE_YAML_MEMBERS_MAX = 1024, /* of one mapping */
	KUBE_YAML_ANCHORS_MAX = 256,
};

enum kube_node_kind {
	KUBE_NODE_SCALAR,
	KUBE_NODE_MAP,
	KUBE_NODE_LIST,
};

struct kube_node {
	enum kube_node_kind kind;
	unsigned line;
	const char *key; /* of a member of a mapping */
	unsigned key_line;
	const char *text; /* of a scalar, without a NUL in it */
	bool plain;       /* it stood without quotes, and may be a number or the like */
	size_t count;     /* of its children */
	struct kube_node *first, *last;
	struct kube_node *next; /* the next one below the same parent */
};

/* The documents of the text, as the children of a list. what names it in errors, "what:12: ...".
 * ERR_INVALID. All is the pool's. */
int kube_yaml_parse(struct kube_node **ret, struct kube_pool *pool, const char *text, size_t length,
		    const char *what, struct err *e);

/* What a scalar is to those who write Kubernetes' files: YAML 1.1, as Go's library has it. */
enum kube_yaml_type {
	KUBE_YAML_TEXT,
	KUBE_YAML_NULL,
	KUBE_YAML_BOOL,
	KUBE_YAML_INT,
	KUBE_YAML_FLOAT,
};
enum kube_yaml_type kube_yaml_type_of(const char *text);
