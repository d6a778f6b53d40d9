/* figures.h - what a container has of memory, CPUs and time, and how much of it is used: the
 * figures that the kernel tells of the whole host in /proc/meminfo and its like, of one container.
 * figures_text.h writes them as the kernel does. Limits count wherever they lie above the
 * container; what its cgroups do not tell (it may have none) is the host's. Cheap: some files of
 * the cgroup each. See docs/decisions/0045-what-a-container-sees-of-its-limits.md. */
#pragma once
#include <stdint.h>

#include "runtime/number_list.h"

struct runtime_cgroup;
struct runtime_container;

struct runtime_memory_figures { /* bytes */
	uint64_t total;         /* no more than the host has */
	uint64_t free;
	uint64_t available; /* no more than the host could give */
	uint64_t cached;
	uint64_t shmem;
	uint64_t anon;
	uint64_t mapped;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t active_anon;
	uint64_t inactive_anon;
	uint64_t active_file;
	uint64_t inactive_file;
	uint64_t unevictable;
	uint64_t slab_reclaimable;
	uint64_t slab_unreclaimable;
	uint64_t swap_total;
	uint64_t swap_free;
};
void runtime_figures_memory(struct runtime_memory_figures *ret,
			    const struct runtime_cgroup *cgroup);

/* Those of the CPUs that it may run on, as many as its quota fills: of --cpus 1.5 two. At least
 * one. They have the numbers that they have on the host: affinities are made of these. */
void runtime_figures_cpus(struct runtime_number_list *ret, const struct runtime_container *c);

/* CPU time since the container began. */
struct runtime_time_figures {
	uint64_t user_ns;
	uint64_t system_ns;
};
void runtime_figures_time(struct runtime_time_figures *ret, const struct runtime_cgroup *cgroup);

struct runtime_task_figures {
	uint64_t tasks; /* threads */
	uint64_t running;
	uint64_t blocked; /* in uninterruptible sleep */
};
/* At most RUNTIME_FIGURES_TASKS_MAX of them are looked at, one by one. */
enum { RUNTIME_FIGURES_TASKS_MAX = 2048 };
void runtime_figures_tasks(struct runtime_task_figures *ret,
			   const struct runtime_container *container);

/* The kernel's three averages, of 1, 5 and 15 minutes (kernel/sched/loadavg.c). Pure: n tasks ran
 * or wanted to for the last so many seconds. */
struct runtime_load {
	double averages[3];
};
void runtime_figures_add_load(struct runtime_load *load, double n, double seconds);
