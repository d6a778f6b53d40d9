/* cgroup_stat.h - what a container uses. UINT64_MAX stands for "no limit"; a value that the host
 * does not count is 0. */
#pragma once
#include <stdint.h>

struct err;
struct runtime_cgroup;

struct runtime_cgroup_stat {
	uint64_t cpu_ns;
	uint64_t cpu_user_ns;
	uint64_t cpu_system_ns;
	uint64_t cpu_periods; /* of the quota, and in how many of them it was stopped */
	uint64_t cpu_throttled_periods;
	uint64_t cpu_throttled_ns;
	uint64_t memory;          /* with the page cache */
	uint64_t memory_inactive; /* page cache that can go at once: docker stats takes it off */
	uint64_t memory_limit;
	uint64_t memory_peak;
	uint64_t oom_kills;
	uint64_t pids;
	uint64_t pids_limit;
	uint64_t io_read; /* bytes */
	uint64_t io_write;
	uint64_t io_reads; /* operations */
	uint64_t io_writes;
};
int runtime_cgroup_stat_read(struct runtime_cgroup_stat *ret, const struct runtime_cgroup *cgroup,
			     struct err *e);
