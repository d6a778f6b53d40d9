/* prune.h - removing what nobody needs, by age and label: which objects a --filter means. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct engine;
struct err;
struct shape_map;

/* "until=24h", "label=KEY[=VALUE]", "label!=KEY[=VALUE]", as docker has them. */
struct prune_filter {
	int64_t until_ns; /* only what was created before; 0: not said */
	struct strv label;
	struct strv label_not;
	bool all; /* "all=true": of volumes, also those with a name */
	bool dangling_given, dangling;
};

/* keys (closed by NULL): which of "until", "label", "label!", "all" and "dangling" there are here.
 * ERR_INVALID names the others. The caller clears. */
int prune_filter_parse(struct prune_filter *to, const struct strv *given, const char *const *keys,
		       struct err *e);

/* A point in time, or how long ago: "24h". */
int prune_filter_until(int64_t *ret, const char *value, struct err *e);
void prune_filter_clear(struct prune_filter *filter);

/* labels: "KEY=VALUE". created_ns 0: not known, which no until fits. */
bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels);

/* As "KEY=VALUE". */
void prune_filter_labels(struct strv *to, const struct shape_map *labels);

/* Removes the containers that do not run. *done gets their ids, *ret_bytes what the disk got back.
 * volumes: with their anonymous volumes. */
int engine_prune_containers(struct engine *engine, const struct prune_filter *filter, bool volumes,
			    struct strv *done, uint64_t *ret_bytes, struct err *e);
