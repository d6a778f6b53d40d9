#include "runtime/cgroup_stat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"

/* v1 counts user and system time in ticks of USER_HZ, which is 100 on every architecture. */
#define TICK_NS     UINT64_C(10000000)
#define NS_PER_USEC UINT64_C(1000)

/* v1's "no limit": the largest number of whole pages, 2^63 cut to the page size. */
#define V1_NO_LIMIT (UINT64_C(1) << 62)

static void stat_v1_cpu(struct runtime_cgroup_stat *to, const struct runtime_cgroup *cgroup)
{
	own_fd int account = runtime_cgroup_open_controller(cgroup, "cpuacct");
	own_fd int cpu = runtime_cgroup_open_controller(cgroup, "cpu");

	if (account >= 0) {
		to->cpu_ns = runtime_cgroup_tree_count(account, "cpuacct.usage");
		to->cpu_user_ns =
			runtime_cgroup_tree_count_key(account, "cpuacct.stat", "user") * TICK_NS;
		to->cpu_system_ns =
			runtime_cgroup_tree_count_key(account, "cpuacct.stat", "system") * TICK_NS;
	}
	if (cpu >= 0) {
		to->cpu_periods = runtime_cgroup_tree_count_key(cpu, "cpu.stat", "nr_periods");
		to->cpu_throttled_periods =
			runtime_cgroup_tree_count_key(cpu, "cpu.stat", "nr_throttled");
		to->cpu_throttled_ns =
			runtime_cgroup_tree_count_key(cpu, "cpu.stat", "throttled_time");
	}
}

static void stat_v1_memory(struct runtime_cgroup_stat *to, const struct runtime_cgroup *cgroup)
{
	own_fd int memory = runtime_cgroup_open_controller(cgroup, "memory");

	if (memory < 0)
		return;
	to->memory = runtime_cgroup_tree_count(memory, "memory.usage_in_bytes");
	to->memory_inactive =
		runtime_cgroup_tree_count_key(memory, "memory.stat", "total_inactive_file");
	to->memory_peak = runtime_cgroup_tree_count(memory, "memory.max_usage_in_bytes");
	to->memory_limit = runtime_cgroup_tree_count(memory, "memory.limit_in_bytes");
	if (to->memory_limit >= V1_NO_LIMIT)
		to->memory_limit = UINT64_MAX;
}

/* "8:0 Read 4096" lines; Total and the rest are not ours to add. */
static void stat_v1_io_file(uint64_t *reads, uint64_t *writes, int folder, const char *file)
{
	own_clear(str_clear) struct str text = { 0 };
	char *rest;

	if (runtime_cgroup_tree_read(folder, file, &text) < 0 || !text.text)
		return;
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *name = strchr(line, ' ');
		if (name && str_starts(name, " Read "))
			*reads += strtoull(name + strlen(" Read "), NULL, 10);
		else if (name && str_starts(name, " Write "))
			*writes += strtoull(name + strlen(" Write "), NULL, 10);
	}
}

static void stat_v1(struct runtime_cgroup_stat *to, const struct runtime_cgroup *cgroup)
{
	stat_v1_cpu(to, cgroup);
	stat_v1_memory(to, cgroup);
	own_fd int io = runtime_cgroup_open_controller(cgroup, "blkio");
	if (io >= 0) {
		stat_v1_io_file(&to->io_read, &to->io_write, io,
				"blkio.throttle.io_service_bytes_recursive");
		stat_v1_io_file(&to->io_reads, &to->io_writes, io,
				"blkio.throttle.io_serviced_recursive");
	}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void stat_v2_io(struct runtime_cgroup_stat *to, int folder)
{
	own_clear(str_clear) struct str text = { 0 };
	char *rest;

	if (runtime_cgroup_tree_read(folder, "io.stat", &text) < 0 || !text.text)
		return;
	for (char *one = strtok_r(text.text, " \n", &rest); one;
	     one = strtok_r(NULL, " \n", &rest)) {
		char *value = strchr(one, '=');
		if (!value)
			continue;
		uint64_t number = strtoull(value + 1, NULL, 10);
		if (str_starts(one, "rbytes="))
			to->io_read += number;
		else if (str_starts(one, "wbytes="))
			to->io_write += number;
		else if (str_starts(one, "rios="))
			to->io_reads += number;
		else if (str_starts(one, "wios="))
			to->io_writes += number;
	}
}

static void stat_v2(struct runtime_cgroup_stat *to, int folder)
{
	to->cpu_ns = runtime_cgroup_tree_count_key(folder, "cpu.stat", "usage_usec") * NS_PER_USEC;
	to->cpu_user_ns =
		runtime_cgroup_tree_count_key(folder, "cpu.stat", "user_usec") * NS_PER_USEC;
	to->cpu_system_ns =
		runtime_cgroup_tree_count_key(folder, "cpu.stat", "system_usec") * NS_PER_USEC;
	to->cpu_periods = runtime_cgroup_tree_count_key(folder, "cpu.stat", "nr_periods");
	to->cpu_throttled_periods =
		runtime_cgroup_tree_count_key(folder, "cpu.stat", "nr_throttled");
	to->cpu_throttled_ns =
		runtime_cgroup_tree_count_key(folder, "cpu.stat", "throttled_usec") * NS_PER_USEC;
	to->memory = runtime_cgroup_tree_count(folder, "memory.current");
	to->memory_inactive = runtime_cgroup_tree_count_key(folder, "memory.stat", "inactive_file");
	to->memory_peak = runtime_cgroup_tree_count(folder, "memory.peak");
	to->memory_limit = runtime_cgroup_tree_count(folder, "memory.max");
	stat_v2_io(to, folder);
}

int runtime_cgroup_stat_read(struct runtime_cgroup_stat *ret, const struct runtime_cgroup *cgroup,
			     struct err *e)
{
	struct runtime_cgroup_stat stat = { 0 };

	if (cgroup->hierarchies.count == 0)
		return err_set(e, ERR_UNSUPPORTED, "no cgroup counts what the container uses");
	own_fd int folder = runtime_cgroup_open(cgroup, 0, e);
	if (folder < 0)
		return folder;
	if (runtime_cgroup_is_v2(cgroup))
		stat_v2(&stat, folder);
	else
		stat_v1(&stat, cgroup);
	own_fd int pids = runtime_cgroup_open_controller(cgroup, "pids");
	if (pids >= 0) {
		stat.pids = runtime_cgroup_tree_count(pids, "pids.current");
		stat.pids_limit = runtime_cgroup_tree_count(pids, "pids.max");
	}
	stat.oom_kills = runtime_cgroup_oom_kills(cgroup);
	*ret = stat;
	return 0;
}
