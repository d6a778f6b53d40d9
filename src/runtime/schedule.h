/* schedule.h - what the kernel remembers of a process about running it: process.scheduler,
 * ioPriority and execCPUAffinity, linux.memoryPolicy and personality. runtime-spec v1.3
 * config.md#linux-process, config-linux.md. */
#pragma once

struct err;
struct oci_process;
struct oci_spec;

int runtime_schedule_check(const struct oci_spec *spec, const struct oci_process *process,
			   struct err *e);

/* While still privileged: most of it takes CAP_SYS_NICE. */
int runtime_schedule_apply_in_child(const struct oci_spec *spec, const struct oci_process *process,
				    struct err *e);
