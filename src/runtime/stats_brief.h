/* stats_brief.h - the few figures of a container that a list of many shows, at a tenth of what
 * stats.h costs. */
#pragma once
#include <stdint.h>

struct err;
struct runtime_container;

struct runtime_stats_brief {
	uint64_t cpu_ns; /* since its start */
	uint64_t memory; /* without the pages of files that nobody used lately, as Docker counts */
	uint64_t memory_limit; /* UINT64_MAX: none */
	uint64_t pids;
	uint64_t read_bytes; /* of block devices */
	uint64_t written_bytes;
	uint64_t received_bytes; /* of its own network; 0 in the host's */
	uint64_t sent_bytes;
};

/* *ret_cpu_fd is a folder in which the counter of CPU time lies, the caller's; -1: none.
 * ERR_STATE: it does not run. */
int runtime_stats_brief_read(struct runtime_stats_brief *ret, int *ret_cpu_fd,
			     const struct runtime_container *container, struct err *e);

/* The counter anew, in nanoseconds; 0: the cgroup is gone. */
uint64_t runtime_stats_brief_cpu_ns(int cpu_fd);
