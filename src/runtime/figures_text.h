/* figures_text.h - a container's figures (figures.h) as the kernel writes those of the host: the
 * files of proc(5) and sysfs that programs ask what there is. Pure. Each adds a whole file. */
#pragma once
#include <stdint.h>

#include "runtime/figures.h"

struct str;

void runtime_figures_meminfo(struct str *to, const struct runtime_memory_figures *memory);
void runtime_figures_swaps(struct str *to, const struct runtime_memory_figures *memory);

/* The blocks of the host's file that are about these CPUs, as they are. */
void runtime_figures_cpuinfo(struct str *to, const char *host,
			     const struct runtime_number_list *cpus);

/* What ran on which CPU the kernel does not count for a quota: the CPUs share it alike. */
void runtime_figures_stat(struct str *to, const struct runtime_number_list *cpus,
			  const struct runtime_time_figures *time,
			  const struct runtime_task_figures *tasks, int64_t uptime_ns,
			  int64_t began_s);
void runtime_figures_uptime(struct str *to, const struct runtime_number_list *cpus,
			    const struct runtime_time_figures *time, int64_t uptime_ns);
void runtime_figures_loadavg(struct str *to, const struct runtime_load *load,
			     const struct runtime_task_figures *tasks);
