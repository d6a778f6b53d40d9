/* stats.h - what containers use, sampled: `holm stats`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "engine/container.h"
#include "runtime/stats_brief.h"

struct engine;
struct err;

struct engine_stats_row {
	char id[CONTAINER_ID_LENGTH + 1];
	char *name;
	char pod[CONTAINER_ID_LENGTH + 1]; /* its id, or "" */
	bool live;                         /* else all below is 0 */
	struct runtime_stats_brief brief;
	double cpu_percent;    /* of one CPU, between two samples */
	uint64_t memory_limit; /* its own, or the host's memory */
	uint64_t disk_limit;   /* of what it writes; 0: it has no quota */
	uint64_t disk_used;
	int64_t sampled_ns; /* CLOCK_MONOTONIC */
	int cpu_fd;         /* -1: none */
};

struct engine_stats {
	struct engine_stats_row *items;
	size_t count;
};

/* Of the containers named, or of those that run, or with all of all. CPU time is that since the
 * sample before, which *stats has from the last call; a container that is new there is sampled
 * twice, ENGINE_STATS_GAP_MS apart. *stats is zeroed to begin with. ERR_NOT_FOUND. */
enum { ENGINE_STATS_GAP_MS = 20 };
int engine_stats_sample(struct engine *engine, const struct strv *names, bool all,
			struct engine_stats *stats, struct err *e);
void engine_stats_clear(struct engine_stats *stats);
