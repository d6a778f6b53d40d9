#include "runtime/stats_brief.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"
#include "runtime/runtime.h"
#include "runtime/stats.h"
#include "runtime/stats_layout.h"
#include "runtime/stats_network.h"

/* cpuacct.usage is v1's file, cpu.stat v2's; v1 has a cpu.stat, too, without usage_usec. */
uint64_t runtime_stats_brief_cpu_ns(int cpu_fd)
{
	uint64_t value;

	if (runtime_cgroup_tree_read_u64(&value, cpu_fd, "cpuacct.usage") == 0)
		return value;
	return 1000 * runtime_cgroup_tree_count_key(cpu_fd, "cpu.stat", "usage_usec");
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* ---- cgroup v2 ---- */

/* "8:0 rbytes=1 wbytes=2 rios=..." */
static void add_io_v2(char *line, void *context)
{
	struct runtime_stats_brief *to = context;
	const char *read = strstr(line, " rbytes="), *written = strstr(line, " wbytes=");

	to->read_bytes += read ? strtoull(read + strlen(" rbytes="), NULL, 10) : 0;
	to->written_bytes += written ? strtoull(written + strlen(" wbytes="), NULL, 10) : 0;
}

static void read_v2(struct runtime_stats_brief *to, int folder)
{
	if (runtime_cgroup_tree_read_u64(&to->memory_limit, folder, "memory.max") < 0)
		to->memory_limit = UINT64_MAX;
	to->memory = less(runtime_cgroup_tree_count(folder, "memory.current"),
			  runtime_cgroup_tree_count_key(folder, "memory.stat", "inactive_file"));
	to->pids = runtime_cgroup_tree_count(folder, "pids.current");
	runtime_stats_read_lines(folder, "io.stat", add_io_v2, to);
}

/* ---- cgroup v1 ---- */

/* "8:0 Read 4096" */
static void add_io_v1(char *line, void *context)
{
	struct runtime_stats_brief *to = context;
	const char *read = strstr(line, " Read "), *written = strstr(line, " Write ");

	to->read_bytes += read ? strtoull(read + strlen(" Read "), NULL, 10) : 0;
	to->written_bytes += written ? strtoull(written + strlen(" Write "), NULL, 10) : 0;
}

/* The kernel's word for no limit is the largest multiple of a page. */
static void read_memory_v1(struct runtime_stats_brief *to, int folder)
{
	uint64_t limit = runtime_cgroup_tree_count(folder, "memory.limit_in_bytes");

	to->memory_limit = limit > (uint64_t)INT64_MAX - (1 << 20) ? UINT64_MAX : limit;
	to->memory =
		less(runtime_cgroup_tree_count(folder, "memory.usage_in_bytes"),
		     runtime_cgroup_tree_count_key(folder, "memory.stat", "total_inactive_file"));
}

static void read_pids_v1(struct runtime_stats_brief *to, int folder)
{
	to->pids = runtime_cgroup_tree_count(folder, "pids.current");
}

static void read_io_v1(struct runtime_stats_brief *to, int folder)
{
	runtime_stats_read_lines(folder, "blkio.throttle.io_service_bytes_recursive", add_io_v1,
				 to);
}

static void read_v1(struct runtime_stats_brief *to, const struct runtime_cgroup *cgroup)
{
	static const struct {
		const char *controller;
		void (*read)(struct runtime_stats_brief *to, int folder);
	} table[] = {
		{ "memory", read_memory_v1 },
		{ "pids", read_pids_v1 },
		{ "blkio", read_io_v1 },
	};

	to->memory_limit = UINT64_MAX;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		own_fd int folder = runtime_cgroup_open_controller(cgroup, table[i].controller);
		if (folder >= 0)
			table[i].read(to, folder);
	}
}

/* ---- both ---- */

static void read_network(struct runtime_stats_brief *to, const struct runtime_container *container)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };

	runtime_stats_network_read(&stats, container);
	for (size_t i = 0; i < stats.interfaces.count; i++) {
		to->received_bytes += stats.interfaces.items[i].rx_bytes;
		to->sent_bytes += stats.interfaces.items[i].tx_bytes;
	}
}

int runtime_stats_brief_read(struct runtime_stats_brief *ret, int *ret_cpu_fd,
			     const struct runtime_container *container, struct err *e)
{
	const struct runtime_cgroup *cgroup = &container->cgroup;
	struct runtime_stats_brief brief = { .memory_limit = UINT64_MAX };
	own_fd int cpu = -1;

	own_fd int process = runtime_container_open(container);
	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	if (cgroup->hierarchies.count && runtime_cgroup_is_v2(cgroup)) {
		cpu = runtime_cgroup_open(cgroup, 0, e);
		if (cpu < 0)
			return cpu;
		read_v2(&brief, cpu);
	} else if (cgroup->hierarchies.count) {
		cpu = runtime_cgroup_open_controller(cgroup, "cpuacct");
		read_v1(&brief, cgroup);
	}
	brief.cpu_ns = cpu < 0 ? 0 : runtime_stats_brief_cpu_ns(cpu);
	read_network(&brief, container);
	*ret = brief;
	*ret_cpu_fd = take_fd(&cpu);
	return 0;
}
