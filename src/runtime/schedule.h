/* schedule.h - process.scheduler, ioPriority, execCPUAffinity and linux.personality's kin: what
 * the kernel remembers per process about running it. runtime-spec v1.3 config.md#linux-process. */
#pragma once

struct err;
struct oci_process;

int runtime_schedule_check(const struct oci_process *process, struct err *e);

/* While still privileged: most of it takes CAP_SYS_NICE. */
int runtime_schedule_apply_in_child(const struct oci_process *process, struct err *e);
