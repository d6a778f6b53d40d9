/* io_priority.h - process.ioPriority: ioprio_set(2), runtime-spec v1.3 config.md#linux-process. */
#pragma once

struct err;
struct oci_io_priority;

/* ERR_INVALID with the member's path. NULL is fine. */
int runtime_io_priority_check(const struct oci_io_priority *priority, struct err *e);

/* While still privileged: IOPRIO_CLASS_RT takes CAP_SYS_NICE or CAP_SYS_ADMIN. */
int runtime_io_priority_apply_in_child(const struct oci_io_priority *priority, struct err *e);
