/* The counters of cgroup v1, each hierarchy for itself: Documentation/admin-guide/cgroup-v1/. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"
#include "runtime/stats.h"
#include "runtime/stats_layout.h"

/* Ticks of USER_HZ, which is 100 on every architecture. */
#define TICK_NS UINT64_C(10000000)

/* "123 456 " */
static struct json_object *read_percpu(int folder)
{
	own_clear(str_clear) struct str text = { 0 };

	if (runtime_cgroup_tree_read(folder, "cpuacct.usage_percpu", &text) < 0 || !text.text)
		return NULL;
	struct json_object *array = json_object_new_array();
	char *at = text.text;
	for (char *end;; at = end) {
		unsigned long long ns = strtoull(at, &end, 10);
		if (end == at)
			return array;
		json_object_array_add(array, json_object_new_uint64(ns));
	}
}

/* "cpu user system" above lines of numbers. */
static void add_percpu(char *line, void *context)
{
	struct runtime_stats_cpu_usage *to = context;
	unsigned long long user, kernel;

	if (sscanf(line, "%*u %llu %llu", &user, &kernel) != 2)
		return;
	if (!to->percpu_user) {
		to->percpu_user = json_object_new_array();
		to->percpu_kernel = json_object_new_array();
	}
	json_object_array_add(to->percpu_user, json_object_new_uint64(user));
	json_object_array_add(to->percpu_kernel, json_object_new_uint64(kernel));
}

static void read_cpuacct(struct runtime_stats *to, int folder)
{
	struct runtime_stats_cpu_usage *usage = &to->cpu.usage;

	usage->total = runtime_cgroup_tree_count(folder, "cpuacct.usage");
	usage->user = runtime_cgroup_tree_count_key(folder, "cpuacct.stat", "user") * TICK_NS;
	usage->kernel = runtime_cgroup_tree_count_key(folder, "cpuacct.stat", "system") * TICK_NS;
	usage->percpu = read_percpu(folder);
	runtime_stats_read_lines(folder, "cpuacct.usage_all", add_percpu, usage);
}

static void read_cpu(struct runtime_stats *to, int folder)
{
	struct runtime_stats_throttling *t = &to->cpu.throttling;

	t->periods = runtime_cgroup_tree_count_key(folder, "cpu.stat", "nr_periods");
	t->throttled_periods = runtime_cgroup_tree_count_key(folder, "cpu.stat", "nr_throttled");
	t->throttled_ns = runtime_cgroup_tree_count_key(folder, "cpu.stat", "throttled_time");
}

static void read_cpuset(struct runtime_stats *to, int folder)
{
	struct runtime_stats_cpuset *set = &to->cpuset;
	own_clear(str_clear) struct str level = { 0 };
	const struct {
		const char *file;
		uint64_t *to;
	} flags[] = {
		{ "cpuset.cpu_exclusive", &set->cpu_exclusive },
		{ "cpuset.mem_hardwall", &set->mem_hardwall },
		{ "cpuset.mem_exclusive", &set->mem_exclusive },
		{ "cpuset.memory_migrate", &set->memory_migrate },
		{ "cpuset.memory_spread_page", &set->memory_spread_page },
		{ "cpuset.memory_spread_slab", &set->memory_spread_slab },
		{ "cpuset.memory_pressure", &set->memory_pressure },
		{ "cpuset.sched_load_balance", &set->sched_load_balance },
	};

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		*flags[i].to = runtime_cgroup_tree_count(folder, flags[i].file);
	runtime_stats_read_list(&set->cpus, folder, "cpuset.cpus");
	runtime_stats_read_list(&set->mems, folder, "cpuset.mems");
	if (runtime_cgroup_tree_read(folder, "cpuset.sched_relax_domain_level", &level) == 0 &&
	    level.text)
		set->sched_relax_domain_level = strtoll(level.text, NULL, 10);
}

/* "memory", "memory.memsw", "memory.kmem", "memory.kmem.tcp" */
static void read_entry(struct runtime_stats_memory_entry *to, int folder, const char *kind)
{
	const struct {
		const char *file;
		uint64_t *to;
	} files[] = {
		{ "limit_in_bytes", &to->limit },
		{ "usage_in_bytes", &to->usage },
		{ "max_usage_in_bytes", &to->max },
		{ "failcnt", &to->failcnt },
	};

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		own_free char *file = mem_format("%s.%s", kind, files[i].file);
		*files[i].to = runtime_cgroup_tree_count(folder, file);
	}
}

static void read_memory(struct runtime_stats *to, int folder)
{
	struct runtime_stats_memory *memory = &to->memory;

	memory->raw = runtime_stats_read_keys(folder, "memory.stat");
	memory->cache = runtime_cgroup_tree_count_key(folder, "memory.stat", "cache");
	read_entry(&memory->usage, folder, "memory");
	read_entry(&memory->swap, folder, "memory.memsw");
	read_entry(&memory->kernel, folder, "memory.kmem");
	read_entry(&memory->kernel_tcp, folder, "memory.kmem.tcp");
}

/* "8:0 Read 4096", or "8:0 4096"; "Total 4096" is no device. */
static void add_block(char *line, void *context)
{
	unsigned long long major, minor, value;
	char op[32] = "";

	if (sscanf(line, "%llu:%llu %31[A-Za-z] %llu", &major, &minor, op, &value) != 4) {
		op[0] = '\0';
		if (sscanf(line, "%llu:%llu %llu", &major, &minor, &value) != 3)
			return;
	}
	runtime_stats_add_block(context, major, minor, op[0] ? op : NULL, value);
}

/* The BFQ scheduler counts more than throttling does, but only for the disks that it runs. */
static void read_blkio(struct runtime_stats *to, int folder)
{
	struct runtime_stats_block *block = &to->block;
	const struct {
		struct runtime_stats_block_entries *to;
		const char *bfq;
		const char *throttle;
	} files[] = {
		{ &block->bytes, "blkio.bfq.io_service_bytes_recursive",
		  "blkio.throttle.io_service_bytes_recursive" },
		{ &block->operations, "blkio.bfq.io_serviced_recursive",
		  "blkio.throttle.io_serviced_recursive" },
		{ &block->queued, "blkio.bfq.io_queued_recursive", NULL },
		{ &block->service_time, "blkio.bfq.io_service_time_recursive", NULL },
		{ &block->wait_time, "blkio.bfq.io_wait_time_recursive", NULL },
		{ &block->merged, "blkio.bfq.io_merged_recursive", NULL },
		{ &block->time, "blkio.bfq.time_recursive", NULL },
		{ &block->sectors, "blkio.bfq.sectors_recursive", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		runtime_stats_read_lines(folder, files[i].bfq, add_block, files[i].to);
		if (files[i].to->count == 0 && files[i].throttle)
			runtime_stats_read_lines(folder, files[i].throttle, add_block, files[i].to);
	}
}

static void fill_hugetlb(struct runtime_stats_hugetlb *to, int folder)
{
	own_free char *max = mem_format("hugetlb.%s.max_usage_in_bytes", to->page_size);
	own_free char *usage = mem_format("hugetlb.%s.usage_in_bytes", to->page_size);
	own_free char *failcnt = mem_format("hugetlb.%s.failcnt", to->page_size);

	to->usage = runtime_cgroup_tree_count(folder, usage);
	to->max = runtime_cgroup_tree_count(folder, max);
	to->failcnt = runtime_cgroup_tree_count(folder, failcnt);
}

static void read_hugetlb(struct runtime_stats *to, int folder)
{
	runtime_stats_hugetlb_read(to, folder, ".limit_in_bytes", fill_hugetlb);
}

void runtime_stats_v1_read(struct runtime_stats *to, const struct runtime_cgroup *cgroup)
{
	static const struct {
		const char *controller;
		void (*read)(struct runtime_stats *to, int folder);
	} table[] = {
		{ "cpuacct", read_cpuacct },         { "cpu", read_cpu },
		{ "cpuset", read_cpuset },           { "memory", read_memory },
		{ "pids", runtime_stats_pids_read }, { "blkio", read_blkio },
		{ "hugetlb", read_hugetlb },
	};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		own_fd int folder = runtime_cgroup_open_controller(cgroup, table[i].controller);
		if (folder >= 0)
			table[i].read(to, folder);
	}
}
