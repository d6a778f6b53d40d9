#include "runtime/figures.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"
#include "runtime/runtime.h"

enum {
	LEVELS_MAX = 64, /* of cgroups */
	MEMINFO_BYTES_MAX = 1 << 16,
	STAT_BYTES_MAX = 4096,
};

/* Ticks of USER_HZ, which is 100 on every architecture. */
#define TICK_NS UINT64_C(10000000)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* ---- memory ---- */

/* The number behind "key" at the beginning of a line; 0: there is none. */
static uint64_t number_of(const struct str *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text->text; line && *line;) {
		if (!strncmp(line, key, length))
			return strtoull(line + length, NULL, 10);
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return 0;
}

struct host_memory {
	uint64_t total, available, swap_total, swap_free;
};

static void read_host(struct host_memory *ret)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	fd_read_file_at(AT_FDCWD, "/proc/meminfo", MEMINFO_BYTES_MAX, &text, &ignored);
	*ret = (struct host_memory){
		.total = number_of(&text, "MemTotal:") << 10,
		.available = number_of(&text, "MemAvailable:") << 10,
		.swap_total = number_of(&text, "SwapTotal:") << 10,
		.swap_free = number_of(&text, "SwapFree:") << 10,
	};
}

/* The least that this file says here and in all cgroups above; v2. UINT64_MAX: no limit. */
static uint64_t least_above(int folder, const char *file)
{
	own_fd int at = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	uint64_t limit = UINT64_MAX, here;

	for (int i = 0; at >= 0 && i < LEVELS_MAX; i++) {
		if (runtime_cgroup_tree_read_u64(&here, at, file) < 0)
			break;
		limit = least(limit, here);
		int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = above;
	}
	return limit;
}

struct usage {
	uint64_t used, limit;
	uint64_t swap_used, swap_limit;
};

static void read_v2(struct runtime_memory_figures *to, struct usage *usage, int folder)
{
	own_clear(str_clear) struct str stat = { 0 };

	runtime_cgroup_tree_read(folder, "memory.stat", &stat);
	to->cached = number_of(&stat, "file ");
	to->anon = number_of(&stat, "anon ");
	to->shmem = number_of(&stat, "shmem ");
	to->mapped = number_of(&stat, "file_mapped ");
	to->dirty = number_of(&stat, "file_dirty ");
	to->writeback = number_of(&stat, "file_writeback ");
	to->active_anon = number_of(&stat, "active_anon ");
	to->inactive_anon = number_of(&stat, "inactive_anon ");
	to->active_file = number_of(&stat, "active_file ");
	to->inactive_file = number_of(&stat, "inactive_file ");
	to->unevictable = number_of(&stat, "unevictable ");
	to->slab_reclaimable = number_of(&stat, "slab_reclaimable ");
	to->slab_unreclaimable = number_of(&stat, "slab_unreclaimable ");
	usage->used = runtime_cgroup_tree_count(folder, "memory.current");
	usage->limit = least_above(folder, "memory.max");
	usage->swap_used = runtime_cgroup_tree_count(folder, "memory.swap.current");
	usage->swap_limit = least_above(folder, "memory.swap.max");
}

/* What says nothing of a limit says the largest number that a page can have. */
static void read_v1(struct runtime_memory_figures *to, struct usage *usage, int folder)
{
	own_clear(str_clear) struct str stat = { 0 };

	runtime_cgroup_tree_read(folder, "memory.stat", &stat);
	to->cached = number_of(&stat, "total_cache ");
	to->anon = number_of(&stat, "total_rss ");
	to->shmem = number_of(&stat, "total_shmem ");
	to->mapped = number_of(&stat, "total_mapped_file ");
	to->dirty = number_of(&stat, "total_dirty ");
	to->writeback = number_of(&stat, "total_writeback ");
	to->active_anon = number_of(&stat, "total_active_anon ");
	to->inactive_anon = number_of(&stat, "total_inactive_anon ");
	to->active_file = number_of(&stat, "total_active_file ");
	to->inactive_file = number_of(&stat, "total_inactive_file ");
	to->unevictable = number_of(&stat, "total_unevictable ");
	to->slab_unreclaimable = runtime_cgroup_tree_count(folder, "memory.kmem.usage_in_bytes");
	usage->used = runtime_cgroup_tree_count(folder, "memory.usage_in_bytes");
	usage->limit = number_of(&stat, "hierarchical_memory_limit ");
	uint64_t both = number_of(&stat, "hierarchical_memsw_limit ");
	usage->swap_used = number_of(&stat, "total_swap ");
	usage->swap_limit = both ? less(both, usage->limit) : UINT64_MAX;
	/* no limit of both, but one of memory: the difference says nothing */
	if (both > INT64_MAX / 2)
		usage->swap_limit = UINT64_MAX;
}

void runtime_figures_memory(struct runtime_memory_figures *ret, const struct runtime_cgroup *cgroup)
{
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "memory");
	struct usage usage = { .limit = UINT64_MAX, .swap_limit = UINT64_MAX };
	struct host_memory host;

	read_host(&host);
	*ret = (struct runtime_memory_figures){ 0 };
	usage.used = less(host.total, host.available);
	usage.swap_used = less(host.swap_total, host.swap_free);
	if (folder >= 0 && runtime_cgroup_is_v2(cgroup))
		read_v2(ret, &usage, folder);
	else if (folder >= 0)
		read_v1(ret, &usage, folder);
	ret->total = least(usage.limit ? usage.limit : UINT64_MAX, host.total);
	uint64_t left = less(ret->total, usage.used);
	uint64_t reclaimable = ret->active_file + ret->inactive_file + ret->slab_reclaimable;
	ret->free = least(left, host.available);
	ret->available = least(least(left + reclaimable, ret->total), host.available);
	ret->swap_total = least(usage.swap_limit, host.swap_total);
	ret->swap_free = least(less(ret->swap_total, usage.swap_used), host.swap_free);
}

/* ---- CPUs ---- */

/* v2's "150000 100000", v1's two files. Below 0: no limit here; -1: nor is there a file. */
static double quota_here(int folder)
{
	own_clear(str_clear) struct str text = { 0 };
	double quota = -1, period = 0;

	if (runtime_cgroup_tree_read(folder, "cpu.max", &text) >= 0) {
		if (!text.text || sscanf(text.text, "%lf %lf", &quota, &period) != 2)
			return -2;
	} else if (runtime_cgroup_tree_read(folder, "cpu.cfs_quota_us", &text) >= 0 && text.text) {
		quota = strtod(text.text, NULL);
		period = (double)runtime_cgroup_tree_count(folder, "cpu.cfs_period_us");
		if (quota < 0)
			return -2;
	}
	return quota > 0 && period > 0 ? quota / period : -1;
}

/* How many CPUs the quotas here and above come to; 0: any number. */
static double quota_above(const struct runtime_cgroup *cgroup)
{
	own_fd int at = runtime_cgroup_open_controller(cgroup, "cpu");
	double least_quota = 0;

	for (int i = 0; at >= 0 && i < LEVELS_MAX; i++) {
		double here = quota_here(at);
		if (here == -1)
			break;
		if (here > 0 && (least_quota == 0 || here < least_quota))
			least_quota = here;
		int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = above;
	}
	return least_quota;
}

/* Where it has no cpuset of its own, those of its first process. */
static void read_affinity(struct runtime_number_list *ret, pid_t pid)
{
	*ret = (struct runtime_number_list){ 0 };
	if (sched_getaffinity(pid, sizeof(ret->bits), (cpu_set_t *)ret->bits) < 0)
		memset(ret->bits, 0, sizeof(ret->bits));
	runtime_number_list_count(ret);
	if (!ret->count)
		runtime_number_list_add(ret, 0);
}

static void read_allowed(struct runtime_number_list *ret, const struct runtime_container *c)
{
	static const char *const files[] = { "cpuset.cpus.effective", "cpuset.effective_cpus" };
	own_fd int folder = runtime_cgroup_open_controller(&c->cgroup, "cpuset");
	struct err ignored;

	*ret = (struct runtime_number_list){ 0 };
	for (size_t i = 0; folder >= 0 && !ret->count && i < COUNT_OF(files); i++) {
		own_clear(str_clear) struct str text = { 0 };
		if (runtime_cgroup_tree_read(folder, files[i], &text) < 0 || !text.text)
			continue;
		text.text[strcspn(text.text, "\n")] = '\0';
		if (runtime_number_list_parse(ret, text.text, files[i], &ignored) < 0)
			*ret = (struct runtime_number_list){ 0 };
	}
	if (!ret->count)
		read_affinity(ret, (pid_t)c->pid);
}

void runtime_figures_cpus(struct runtime_number_list *ret, const struct runtime_container *c)
{
	struct runtime_number_list allowed;
	double quota = quota_above(&c->cgroup);
	size_t wanted;

	read_allowed(&allowed, c);
	wanted = quota > 0 && ceil(quota) < (double)allowed.count ? (size_t)ceil(quota)
								  : allowed.count;
	*ret = (struct runtime_number_list){ 0 };
	for (size_t i = 0; ret->count < wanted; i++)
		if (runtime_number_list_has(&allowed, i))
			runtime_number_list_add(ret, i);
}

void runtime_figures_time(struct runtime_time_figures *ret, const struct runtime_cgroup *cgroup)
{
	own_fd int folder = runtime_cgroup_open_controller(
		cgroup, runtime_cgroup_is_v2(cgroup) ? "cpu" : "cpuacct");

	*ret = (struct runtime_time_figures){ 0 };
	if (folder < 0)
		return;
	if (runtime_cgroup_is_v2(cgroup)) {
		ret->user_ns =
			1000 * runtime_cgroup_tree_count_key(folder, "cpu.stat", "user_usec");
		ret->system_ns =
			1000 * runtime_cgroup_tree_count_key(folder, "cpu.stat", "system_usec");
		return;
	}
	ret->user_ns = TICK_NS * runtime_cgroup_tree_count_key(folder, "cpuacct.stat", "user");
	ret->system_ns = TICK_NS * runtime_cgroup_tree_count_key(folder, "cpuacct.stat", "system");
}

/* ---- tasks ---- */

/* The letter behind the name, which may have any bytes: proc(5), /proc/PID/stat. */
static char state_of(int tasks, const char *tid)
{
	own_free char *path = mem_format("%s/stat", tid);
	own_fd int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	char text[STAT_BYTES_MAX];

	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return '\0';
	text[n] = '\0';
	const char *end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : '\0';
}

static void count_tasks(struct runtime_task_figures *to, pid_t pid)
{
	own_free char *path = mem_format("/proc/%d/task", (int)pid);
	own_dir DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.' || to->tasks >= RUNTIME_FIGURES_TASKS_MAX)
			continue;
		char state = state_of(dirfd(dir), entry->d_name);
		to->tasks += state != '\0';
		to->running += state == 'R';
		to->blocked += state == 'D';
	}
}

void runtime_figures_tasks(struct runtime_task_figures *ret,
			   const struct runtime_container *container)
{
	own_free pid_t *pids = NULL;
	struct err ignored;
	size_t count = 0;

	*ret = (struct runtime_task_figures){ 0 };
	if (runtime_container_list(&pids, &count, container, &ignored) < 0)
		return;
	for (size_t i = 0; i < count && ret->tasks < RUNTIME_FIGURES_TASKS_MAX; i++)
		count_tasks(ret, pids[i]);
}

void runtime_figures_add_load(struct runtime_load *load, double n, double seconds)
{
	static const double periods[] = { 60, 300, 900 };

	for (size_t i = 0; i < COUNT_OF(periods); i++) {
		double kept = exp(-seconds / periods[i]);
		load->averages[i] = load->averages[i] * kept + n * (1 - kept);
	}
}
