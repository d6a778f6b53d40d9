#include "runtime/figures_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define TICK_NS UINT64_C(10000000) /* USER_HZ is 100 on every architecture */

/* ---- memory ---- */

/* fs/proc/meminfo.c: the order, and the width, of its lines. */
void runtime_figures_meminfo(struct str *to, const struct runtime_memory_figures *m)
{
	const struct {
		const char *name;
		uint64_t bytes;
	} rows[] = {
		{ "MemTotal:", m->total },
		{ "MemFree:", m->free },
		{ "MemAvailable:", m->available },
		{ "Buffers:", 0 },
		{ "Cached:", m->cached },
		{ "SwapCached:", 0 },
		{ "Active:", m->active_anon + m->active_file },
		{ "Inactive:", m->inactive_anon + m->inactive_file },
		{ "Active(anon):", m->active_anon },
		{ "Inactive(anon):", m->inactive_anon },
		{ "Active(file):", m->active_file },
		{ "Inactive(file):", m->inactive_file },
		{ "Unevictable:", m->unevictable },
		{ "Mlocked:", 0 },
		{ "SwapTotal:", m->swap_total },
		{ "SwapFree:", m->swap_free },
		{ "Dirty:", m->dirty },
		{ "Writeback:", m->writeback },
		{ "AnonPages:", m->anon },
		{ "Mapped:", m->mapped },
		{ "Shmem:", m->shmem },
		{ "KReclaimable:", m->slab_reclaimable },
		{ "Slab:", m->slab_reclaimable + m->slab_unreclaimable },
		{ "SReclaimable:", m->slab_reclaimable },
		{ "SUnreclaim:", m->slab_unreclaimable },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		str_addf(to, "%-15s %8llu kB\n", rows[i].name,
			 (unsigned long long)(rows[i].bytes >> 10));
}

void runtime_figures_swaps(struct str *to, const struct runtime_memory_figures *m)
{
	str_add(to, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (m->swap_total)
		str_addf(to, "none%*svirtual\t\t%llu\t%llu\t0\n", 36, "",
			 (unsigned long long)(m->swap_total >> 10),
			 (unsigned long long)((m->swap_total - m->swap_free) >> 10));
}

/* ---- CPUs ---- */

/* "processor\t: 3"; -1: the block is about all of them. */
static long processor_of(const char *block)
{
	static const char key[] = "processor";

	if (!str_starts(block, key))
		return -1;
	const char *at = block + strlen(key) + strspn(block + strlen(key), "\t ");
	return *at == ':' ? strtol(at + 1, NULL, 10) : -1;
}

void runtime_figures_cpuinfo(struct str *to, const char *host,
			     const struct runtime_number_list *cpus)
{
	while (*host) {
		const char *end = strstr(host, "\n\n");
		size_t length = end ? (size_t)(end - host) + 2 : strlen(host);
		long cpu = processor_of(host);
		if (cpu < 0 || runtime_number_list_has(cpus, (size_t)cpu))
			str_add_n(to, host, length);
		host += length;
	}
}

static uint64_t idle_ns(const struct runtime_number_list *cpus,
			const struct runtime_time_figures *time, int64_t uptime_ns)
{
	uint64_t all = (uint64_t)uptime_ns * cpus->count, used = time->user_ns + time->system_ns;

	return all > used ? all - used : 0;
}

static void add_cpu(struct str *to, const char *name, uint64_t user, uint64_t system, uint64_t idle)
{
	str_addf(to, "%s %llu 0 %llu %llu 0 0 0 0 0 0\n", name, (unsigned long long)user,
		 (unsigned long long)system, (unsigned long long)idle);
}

void runtime_figures_stat(struct str *to, const struct runtime_number_list *cpus,
			  const struct runtime_time_figures *time,
			  const struct runtime_task_figures *tasks, int64_t uptime_ns,
			  int64_t began_s)
{
	uint64_t user = time->user_ns / TICK_NS, system = time->system_ns / TICK_NS;
	uint64_t idle = idle_ns(cpus, time, uptime_ns) / TICK_NS;
	char name[16];

	add_cpu(to, "cpu ", user, system, idle);
	for (size_t i = 0; i < RUNTIME_NUMBER_LIST_MAX; i++) {
		if (!runtime_number_list_has(cpus, i))
			continue;
		snprintf(name, sizeof(name), "cpu%zu", i);
		add_cpu(to, name, user / cpus->count, system / cpus->count, idle / cpus->count);
	}
	str_addf(to,
		 "intr 0\nctxt 0\nbtime %lld\nprocesses %llu\nprocs_running %llu\n"
		 "procs_blocked %llu\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		 (long long)began_s, (unsigned long long)tasks->tasks,
		 (unsigned long long)tasks->running, (unsigned long long)tasks->blocked);
}

static void add_seconds(struct str *to, uint64_t ns, char end)
{
	str_addf(to, "%llu.%02llu%c", (unsigned long long)(ns / 1000000000),
		 (unsigned long long)(ns / TICK_NS % 100), end);
}

void runtime_figures_uptime(struct str *to, const struct runtime_number_list *cpus,
			    const struct runtime_time_figures *time, int64_t uptime_ns)
{
	add_seconds(to, (uint64_t)uptime_ns, ' ');
	add_seconds(to, idle_ns(cpus, time, uptime_ns), '\n');
}

void runtime_figures_loadavg(struct str *to, const struct runtime_load *load,
			     const struct runtime_task_figures *tasks)
{
	str_addf(to, "%.2f %.2f %.2f %llu/%llu 0\n", load->averages[0], load->averages[1],
		 load->averages[2], (unsigned long long)tasks->running,
		 (unsigned long long)tasks->tasks);
}
