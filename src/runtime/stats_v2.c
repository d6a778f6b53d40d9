/* The counters of cgroup v2: Documentation/admin-guide/cgroup-v2.rst. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup_tree.h"
#include "runtime/stats.h"
#include "runtime/stats_layout.h"

#define NS_PER_USEC UINT64_C(1000)

/* "avg10=1.50" as the number 1.50, in the kernel's own spelling. */
static void add_average(struct json_object *to, char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		return;
	*value++ = '\0';
	if (str_equal(text, "total"))
		json_object_object_add(to, text, json_object_new_uint64(strtoull(value, NULL, 10)));
	else
		json_object_object_add(to, text,
				       json_object_new_double_s(strtod(value, NULL), value));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static void add_pressure(char *line, void *context)
{
	struct json_object **to = context;
	char *rest;
	char *kind = strtok_r(line, " ", &rest);

	if (!kind)
		return;
	if (!*to)
		*to = json_object_new_object();
	struct json_object *averages = json_object_new_object();
	for (char *one = strtok_r(NULL, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
		add_average(averages, one);
	json_object_object_add(*to, kind, averages);
}

static void read_cpu(struct runtime_stats_cpu *to, int folder)
{
	const struct {
		const char *key;
		uint64_t unit;
		uint64_t *to;
	} table[] = {
		{ "usage_usec", NS_PER_USEC, &to->usage.total },
		{ "user_usec", NS_PER_USEC, &to->usage.user },
		{ "system_usec", NS_PER_USEC, &to->usage.kernel },
		{ "nr_periods", 1, &to->throttling.periods },
		{ "nr_throttled", 1, &to->throttling.throttled_periods },
		{ "throttled_usec", NS_PER_USEC, &to->throttling.throttled_ns },
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		*table[i].to = table[i].unit *
			       runtime_cgroup_tree_count_key(folder, "cpu.stat", table[i].key);
	runtime_stats_read_lines(folder, "cpu.pressure", add_pressure, &to->psi);
}

/* v2 counts swap alone; its readers expect both together. What both were at most is not known. */
static void read_memory(struct runtime_stats_memory *to, int folder)
{
	uint64_t swap_max = runtime_cgroup_tree_count(folder, "memory.swap.max");

	to->raw = runtime_stats_read_keys(folder, "memory.stat");
	to->cache = runtime_cgroup_tree_count_key(folder, "memory.stat", "file");
	to->usage.usage = runtime_cgroup_tree_count(folder, "memory.current");
	to->usage.limit = runtime_cgroup_tree_count(folder, "memory.max");
	to->usage.max = runtime_cgroup_tree_count(folder, "memory.peak");
	to->usage.failcnt = runtime_cgroup_tree_count_key(folder, "memory.events", "max");
	to->swap.usage = to->usage.usage + runtime_cgroup_tree_count(folder, "memory.swap.current");
	to->swap.limit = swap_max == UINT64_MAX || to->usage.limit == UINT64_MAX
				 ? UINT64_MAX
				 : to->usage.limit + swap_max;
	to->swap.failcnt = runtime_cgroup_tree_count_key(folder, "memory.swap.events", "max");
	to->kernel.usage = runtime_cgroup_tree_count_key(folder, "memory.stat", "kernel");
	to->kernel_tcp.usage = runtime_cgroup_tree_count_key(folder, "memory.stat", "sock");
	runtime_stats_read_lines(folder, "memory.pressure", add_pressure, &to->psi);
}

static void add_io_value(struct runtime_stats_block *to, uint64_t major, uint64_t minor,
			 const char *pair)
{
	const struct {
		const char *key;
		struct runtime_stats_block_entries *to;
		const char *op;
	} table[] = {
		{ "rbytes=", &to->bytes, "Read" },     { "wbytes=", &to->bytes, "Write" },
		{ "dbytes=", &to->bytes, "Discard" },  { "rios=", &to->operations, "Read" },
		{ "wios=", &to->operations, "Write" }, { "dios=", &to->operations, "Discard" },
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (str_starts(pair, table[i].key))
			runtime_stats_add_block(table[i].to, major, minor, table[i].op,
						strtoull(pair + strlen(table[i].key), NULL, 10));
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void add_io(char *line, void *context)
{
	unsigned long long major, minor;
	char *rest;
	char *device = strtok_r(line, " ", &rest);

	if (!device || sscanf(device, "%llu:%llu", &major, &minor) != 2)
		return;
	for (char *one = strtok_r(NULL, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
		add_io_value(context, major, minor, one);
}

static void fill_hugetlb(struct runtime_stats_hugetlb *to, int folder)
{
	own_free char *current = mem_format("hugetlb.%s.current", to->page_size);
	own_free char *events = mem_format("hugetlb.%s.events", to->page_size);

	to->usage = runtime_cgroup_tree_count(folder, current);
	to->failcnt = runtime_cgroup_tree_count_key(folder, events, "max");
}

void runtime_stats_v2_read(struct runtime_stats *to, int folder)
{
	read_cpu(&to->cpu, folder);
	runtime_stats_read_list(&to->cpuset.cpus, folder, "cpuset.cpus.effective");
	runtime_stats_read_list(&to->cpuset.mems, folder, "cpuset.mems.effective");
	read_memory(&to->memory, folder);
	runtime_stats_pids_read(to, folder);
	runtime_stats_read_lines(folder, "io.stat", add_io, &to->block);
	runtime_stats_read_lines(folder, "io.pressure", add_pressure, &to->block.psi);
	runtime_stats_hugetlb_read(to, folder, ".max", fill_hugetlb);
}
