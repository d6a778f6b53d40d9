/* stats.h - what a container uses, all that the kernel counts of it. The shape writes what "runc
 * events" prints, member by member (runc v1.4 types/events.go): engines read it by these names.
 * Memory and swap are given as cgroup v1 counts them, swap being both together. UINT64_MAX as a
 * limit is none; what the host does not count is 0 or absent. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/shape.h"

struct err;
struct runtime_container;

struct runtime_stats_cpu_usage { /* nanoseconds */
	uint64_t total;
	struct json_object *percpu; /* arrays of numbers, NULL on v2 */
	struct json_object *percpu_kernel;
	struct json_object *percpu_user;
	uint64_t kernel;
	uint64_t user;
};

struct runtime_stats_throttling { /* by the quota */
	uint64_t periods;
	uint64_t throttled_periods;
	uint64_t throttled_ns;
};

/* Pressure stall information, Documentation/accounting/psi.rst: {"some": {"avg10": 0.5, "avg60",
 * "avg300", "total"}, "full": {...}}; NULL on v1. */
struct runtime_stats_cpu {
	struct runtime_stats_cpu_usage usage;
	struct runtime_stats_throttling throttling;
	struct json_object *psi;
};

struct runtime_stats_cpuset { /* v1's flags; of v2 cpus and mems alone */
	struct shape_u32s cpus;
	uint64_t cpu_exclusive;
	struct shape_u32s mems;
	uint64_t mem_hardwall;
	uint64_t mem_exclusive;
	uint64_t memory_migrate;
	uint64_t memory_spread_page;
	uint64_t memory_spread_slab;
	uint64_t memory_pressure;
	uint64_t sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct runtime_stats_memory_entry { /* bytes */
	uint64_t limit;
	uint64_t usage;
	uint64_t max; /* the most that it ever was */
	uint64_t failcnt;
};

struct runtime_stats_memory {
	uint64_t cache;
	struct runtime_stats_memory_entry usage;
	struct runtime_stats_memory_entry swap;
	struct runtime_stats_memory_entry kernel;
	struct runtime_stats_memory_entry kernel_tcp;
	struct json_object *raw; /* memory.stat */
	struct json_object *psi;
};

struct runtime_stats_pids {
	uint64_t current;
	uint64_t limit;   /* 0: none */
	uint64_t failcnt; /* forks that it refused; none of runc's */
};

struct runtime_stats_block_entry {
	uint64_t major;
	uint64_t minor;
	char *op; /* "Read", "Write", "Discard"...; NULL where it makes no difference */
	uint64_t value;
};
struct runtime_stats_block_entries {
	struct runtime_stats_block_entry *items;
	size_t count;
};

struct runtime_stats_block {
	struct runtime_stats_block_entries bytes;
	struct runtime_stats_block_entries operations;
	struct runtime_stats_block_entries queued;
	struct runtime_stats_block_entries service_time;
	struct runtime_stats_block_entries wait_time;
	struct runtime_stats_block_entries merged;
	struct runtime_stats_block_entries time;
	struct runtime_stats_block_entries sectors;
	struct json_object *psi;
};

struct runtime_stats_hugetlb {
	char *page_size; /* "2MB" */
	uint64_t usage;
	uint64_t max;
	uint64_t failcnt;
};

struct runtime_stats_interface { /* in the container's network namespace, without its loopback */
	char *name;
	uint64_t rx_bytes;
	uint64_t rx_packets;
	uint64_t rx_errors;
	uint64_t rx_dropped;
	uint64_t tx_bytes;
	uint64_t tx_packets;
	uint64_t tx_errors;
	uint64_t tx_dropped;
};

struct runtime_stats {
	struct runtime_stats_cpu cpu;
	struct runtime_stats_cpuset cpuset;
	struct runtime_stats_memory memory;
	struct runtime_stats_pids pids;
	struct runtime_stats_block block;
	SHAPE_LIST_OF(struct runtime_stats_hugetlb) hugetlb;
	struct json_object *intel_rdt;
	SHAPE_LIST_OF(struct runtime_stats_interface) interfaces;
};
extern const struct shape runtime_stats_shape;
void runtime_stats_clear(struct runtime_stats *stats);

/* Of a container that runs, frozen or not. ERR_UNSUPPORTED on a host without cgroups. The caller
 * clears *ret. */
int runtime_stats_read(struct runtime_stats *ret, const struct runtime_container *container,
		       struct err *e);

/* {"type":"stats","id":"ID","data":{...}}, the line of "runc events"; NULL stats: without data, as
 * for {"type":"oom","id":"ID"}. The caller's (json_object_put). */
struct json_object *runtime_stats_event(const char *type, const char *id,
					const struct runtime_stats *stats);
