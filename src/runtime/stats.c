#include "runtime/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"
#include "runtime/number_list.h"
#include "runtime/runtime.h"
#include "runtime/stats_layout.h"
#include "runtime/stats_network.h"

/* ---- the shape ---- */

#define STAT(name, type, of, member, ...)                                                          \
	{                                                                                          \
		name, type, offsetof(struct of, member), ##__VA_ARGS__                             \
	}
#define KEPT(name, type, of, member, ...)                                                          \
	{                                                                                          \
		name, type, offsetof(struct of, member), .keep = true, ##__VA_ARGS__               \
	}
#define SHAPE_OF(of) sizeof(struct of), (const struct shape_field[])

static const struct shape usage_shape = {
	SHAPE_OF(runtime_stats_cpu_usage){
		STAT("total", SHAPE_UINT, runtime_stats_cpu_usage, total),
		STAT("percpu", SHAPE_ANY, runtime_stats_cpu_usage, percpu),
		STAT("percpu_kernel", SHAPE_ANY, runtime_stats_cpu_usage, percpu_kernel),
		STAT("percpu_user", SHAPE_ANY, runtime_stats_cpu_usage, percpu_user),
		KEPT("kernel", SHAPE_UINT, runtime_stats_cpu_usage, kernel),
		KEPT("user", SHAPE_UINT, runtime_stats_cpu_usage, user),
		{ 0 },
	},
};

static const struct shape throttling_shape = {
	SHAPE_OF(runtime_stats_throttling){
		STAT("periods", SHAPE_UINT, runtime_stats_throttling, periods),
		STAT("throttledPeriods", SHAPE_UINT, runtime_stats_throttling, throttled_periods),
		STAT("throttledTime", SHAPE_UINT, runtime_stats_throttling, throttled_ns),
		{ 0 },
	},
};

static const struct shape cpu_shape = {
	SHAPE_OF(runtime_stats_cpu){
		KEPT("usage", SHAPE_OBJECT, runtime_stats_cpu, usage, .shape = &usage_shape),
		KEPT("throttling", SHAPE_OBJECT, runtime_stats_cpu, throttling,
		     .shape = &throttling_shape),
		STAT("psi", SHAPE_ANY, runtime_stats_cpu, psi),
		{ 0 },
	},
};

#define CPUSET_FLAG(name) KEPT(#name, SHAPE_UINT, runtime_stats_cpuset, name)

static const struct shape cpuset_shape = {
	SHAPE_OF(runtime_stats_cpuset){
		STAT("cpus", SHAPE_U32S, runtime_stats_cpuset, cpus),
		CPUSET_FLAG(cpu_exclusive),
		STAT("mems", SHAPE_U32S, runtime_stats_cpuset, mems),
		CPUSET_FLAG(mem_hardwall),
		CPUSET_FLAG(mem_exclusive),
		CPUSET_FLAG(memory_migrate),
		CPUSET_FLAG(memory_spread_page),
		CPUSET_FLAG(memory_spread_slab),
		CPUSET_FLAG(memory_pressure),
		CPUSET_FLAG(sched_load_balance),
		KEPT("sched_relax_domain_level", SHAPE_INT, runtime_stats_cpuset,
		     sched_relax_domain_level),
		{ 0 },
	},
};

static const struct shape entry_shape = {
	SHAPE_OF(runtime_stats_memory_entry){
		KEPT("limit", SHAPE_UINT, runtime_stats_memory_entry, limit),
		STAT("usage", SHAPE_UINT, runtime_stats_memory_entry, usage),
		STAT("max", SHAPE_UINT, runtime_stats_memory_entry, max),
		KEPT("failcnt", SHAPE_UINT, runtime_stats_memory_entry, failcnt),
		{ 0 },
	},
};

#define MEMORY_ENTRY(name, member)                                                                 \
	KEPT(name, SHAPE_OBJECT, runtime_stats_memory, member, .shape = &entry_shape)

static const struct shape memory_shape = {
	SHAPE_OF(runtime_stats_memory){
		STAT("cache", SHAPE_UINT, runtime_stats_memory, cache),
		MEMORY_ENTRY("usage", usage),
		MEMORY_ENTRY("swap", swap),
		MEMORY_ENTRY("kernel", kernel),
		MEMORY_ENTRY("kernelTCP", kernel_tcp),
		STAT("raw", SHAPE_ANY, runtime_stats_memory, raw),
		STAT("psi", SHAPE_ANY, runtime_stats_memory, psi),
		{ 0 },
	},
};

static const struct shape pids_shape = {
	SHAPE_OF(runtime_stats_pids){
		STAT("current", SHAPE_UINT, runtime_stats_pids, current),
		STAT("limit", SHAPE_UINT, runtime_stats_pids, limit),
		{ 0 },
	},
};

static const struct shape block_entry_shape = {
	SHAPE_OF(runtime_stats_block_entry){
		STAT("major", SHAPE_UINT, runtime_stats_block_entry, major),
		STAT("minor", SHAPE_UINT, runtime_stats_block_entry, minor),
		STAT("op", SHAPE_STRING, runtime_stats_block_entry, op),
		STAT("value", SHAPE_UINT, runtime_stats_block_entry, value),
		{ 0 },
	},
};

#define BLOCK(name, member)                                                                        \
	STAT(name, SHAPE_LIST, runtime_stats_block, member, .shape = &block_entry_shape)

static const struct shape block_shape = {
	SHAPE_OF(runtime_stats_block){
		BLOCK("ioServiceBytesRecursive", bytes),
		BLOCK("ioServicedRecursive", operations),
		BLOCK("ioQueueRecursive", queued),
		BLOCK("ioServiceTimeRecursive", service_time),
		BLOCK("ioWaitTimeRecursive", wait_time),
		BLOCK("ioMergedRecursive", merged),
		BLOCK("ioTimeRecursive", time),
		BLOCK("sectorsRecursive", sectors),
		STAT("psi", SHAPE_ANY, runtime_stats_block, psi),
		{ 0 },
	},
};

static const struct shape hugetlb_shape = {
	SHAPE_OF(runtime_stats_hugetlb){
		STAT("", SHAPE_STRING, runtime_stats_hugetlb, page_size),
		STAT("usage", SHAPE_UINT, runtime_stats_hugetlb, usage),
		STAT("max", SHAPE_UINT, runtime_stats_hugetlb, max),
		KEPT("failcnt", SHAPE_UINT, runtime_stats_hugetlb, failcnt),
		{ 0 },
	},
};

#define INTERFACE(name, member) KEPT(name, SHAPE_UINT, runtime_stats_interface, member)

static const struct shape interface_shape = {
	SHAPE_OF(runtime_stats_interface){
		KEPT("Name", SHAPE_STRING, runtime_stats_interface, name),
		INTERFACE("RxBytes", rx_bytes),
		INTERFACE("RxPackets", rx_packets),
		INTERFACE("RxErrors", rx_errors),
		INTERFACE("RxDropped", rx_dropped),
		INTERFACE("TxBytes", tx_bytes),
		INTERFACE("TxPackets", tx_packets),
		INTERFACE("TxErrors", tx_errors),
		INTERFACE("TxDropped", tx_dropped),
		{ 0 },
	},
};

#define PART(name, type, member, of) KEPT(name, type, runtime_stats, member, .shape = &(of))

const struct shape runtime_stats_shape = {
	SHAPE_OF(runtime_stats){
		PART("cpu", SHAPE_OBJECT, cpu, cpu_shape),
		PART("cpuset", SHAPE_OBJECT, cpuset, cpuset_shape),
		PART("memory", SHAPE_OBJECT, memory, memory_shape),
		PART("pids", SHAPE_OBJECT, pids, pids_shape),
		PART("blkio", SHAPE_OBJECT, block, block_shape),
		PART("hugetlb", SHAPE_OBJECTS, hugetlb, hugetlb_shape),
		KEPT("intel_rdt", SHAPE_ANY, runtime_stats, intel_rdt),
		PART("network_interfaces", SHAPE_LIST, interfaces, interface_shape),
		{ 0 },
	},
};

void runtime_stats_clear(struct runtime_stats *stats)
{
	shape_clear(&runtime_stats_shape, stats);
}

struct json_object *runtime_stats_event(const char *type, const char *id,
					const struct runtime_stats *stats)
{
	struct json_object *event = json_object_new_object();

	json_object_object_add(event, "type", json_object_new_string(type));
	json_object_object_add(event, "id", json_object_new_string(id));
	if (stats)
		json_object_object_add(event, "data", shape_write(&runtime_stats_shape, stats));
	return event;
}

/* ---- what both layouts read alike ---- */

void runtime_stats_read_list(struct shape_u32s *to, int folder, const char *file)
{
	own_clear(str_clear) struct str text = { 0 };
	struct runtime_number_list list;
	struct err ignored;

	if (runtime_cgroup_tree_read(folder, file, &text) < 0 || !text.text)
		return;
	text.text[strcspn(text.text, "\n")] = '\0';
	if (runtime_number_list_parse(&list, text.text, file, &ignored) < 0)
		return;
	for (uint32_t i = 0; i < RUNTIME_NUMBER_LIST_MAX; i++)
		if (list.bits[i / RUNTIME_NUMBER_LIST_WORD] >> i % RUNTIME_NUMBER_LIST_WORD & 1)
			*shape_list_add(to) = i;
}

void runtime_stats_read_lines(int folder, const char *file, void (*each)(char *line, void *context),
			      void *context)
{
	own_clear(str_clear) struct str text = { 0 };
	char *rest;

	if (runtime_cgroup_tree_read(folder, file, &text) < 0 || !text.text)
		return;
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		each(line, context);
}

static void add_key(char *line, void *context)
{
	struct json_object **to = context;
	char *blank = strchr(line, ' ');

	if (!blank)
		return;
	*blank = '\0';
	if (!*to)
		*to = json_object_new_object();
	json_object_object_add(*to, line, json_object_new_uint64(strtoull(blank + 1, NULL, 10)));
}

struct json_object *runtime_stats_read_keys(int folder, const char *file)
{
	struct json_object *keys = NULL;

	runtime_stats_read_lines(folder, file, add_key, &keys);
	return keys;
}

void runtime_stats_add_block(struct runtime_stats_block_entries *to, uint64_t major, uint64_t minor,
			     const char *op, uint64_t value)
{
	struct runtime_stats_block_entry *entry = shape_list_add(to);

	entry->major = major;
	entry->minor = minor;
	entry->op = mem_text(op);
	entry->value = value;
}

void runtime_stats_pids_read(struct runtime_stats *to, int folder)
{
	uint64_t limit = runtime_cgroup_tree_count(folder, "pids.max");

	to->pids.current = runtime_cgroup_tree_count(folder, "pids.current");
	to->pids.limit = limit == UINT64_MAX ? 0 : limit;
	to->pids.failcnt = runtime_cgroup_tree_count_key(folder, "pids.events", "max");
}

void runtime_stats_hugetlb_read(struct runtime_stats *to, int folder, const char *suffix,
				void (*fill)(struct runtime_stats_hugetlb *to, int folder))
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	for (struct dirent *file; dir && (file = readdir(dir));) {
		const char *size = file->d_name + strlen("hugetlb.");
		if (!str_starts(file->d_name, "hugetlb.") || !str_ends(size, suffix) ||
		    strstr(size, ".rsvd."))
			continue;
		struct runtime_stats_hugetlb *huge = shape_list_add(&to->hugetlb);
		huge->page_size = mem_text_n(size, strlen(size) - strlen(suffix));
		fill(huge, folder);
	}
}

/* ---- reading ---- */

int runtime_stats_read(struct runtime_stats *ret, const struct runtime_container *container,
		       struct err *e)
{
	const struct runtime_cgroup *cgroup = &container->cgroup;
	struct runtime_stats stats = { 0 };

	own_fd int process = runtime_container_open(container);
	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	if (cgroup->hierarchies.count == 0)
		return err_set(e, ERR_UNSUPPORTED, "no cgroup counts what the container uses");
	own_fd int folder = runtime_cgroup_open(cgroup, 0, e);
	if (folder < 0)
		return folder;
	if (runtime_cgroup_is_v2(cgroup))
		runtime_stats_v2_read(&stats, folder);
	else
		runtime_stats_v1_read(&stats, cgroup);
	stats.intel_rdt = json_object_new_object();
	runtime_stats_network_read(&stats, container);
	*ret = stats;
	return 0;
}
