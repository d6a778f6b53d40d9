/* scheduler.h - process.scheduler: sched_setattr(2), runtime-spec v1.3 config.md#linux-process.
 * What belongs to one policy only is refused with another, as runc does; the kernel would leave it
 * out in silence. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_scheduler;

/* ERR_INVALID with the member's path. NULL is fine. */
int runtime_scheduler_check(const struct oci_scheduler *scheduler, struct err *e);

/* Of a process that is all set up, by its parent: what a process has of SCHED_DEADLINE or of
 * SCHED_FLAG_RESET_ON_FORK does not survive the fork into a PID namespace. Takes CAP_SYS_NICE for
 * most. NULL does nothing. */
int runtime_scheduler_apply_in_parent(pid_t pid, const struct oci_scheduler *scheduler,
				      struct err *e);

/* Is it lost, or in the way, when the process forks? */
bool runtime_scheduler_forbids_fork(const struct oci_scheduler *scheduler);
