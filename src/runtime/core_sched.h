/* core_sched.h - core scheduling, Linux Documentation/admin-guide/hw-vuln/core-scheduling.rst: the
 * annotation org.holm.core_sched "true" gives a container a cookie of its own, so that a core's
 * hardware threads never run it and somebody else at once. Linux 5.14, CONFIG_SCHED_CORE. */
#pragma once
#include <sys/types.h>

struct err;
struct oci_spec;

/* ERR_INVALID for a value that is neither "true" nor "false". */
int runtime_core_sched_check(const struct oci_spec *spec, struct err *e);

/* A new cookie, or that of the container's first process. Both do nothing where it is not asked
 * for, or where a core has one hardware thread; ERR_UNSUPPORTED where the kernel cannot. */
int runtime_core_sched_create_in_child(const struct oci_spec *spec, struct err *e);
int runtime_core_sched_share_in_child(const struct oci_spec *spec, pid_t with, struct err *e);
