/* cpu_affinity.h - the CPUs that a process may run on, sched_setaffinity(2).
 * process.execCPUAffinity (runtime-spec v1.3 config.md#linux-process) is for exec alone: initial
 * until it is in the container's cgroup, final from then on. */
#pragma once

struct err;
struct oci_cpu_affinity;
struct oci_spec;

/* ERR_INVALID with the member's path. NULL is fine. */
int runtime_cpu_affinity_check(const struct oci_cpu_affinity *affinity, struct err *e);

/* NULL, and a list that is not given, do nothing. */
int runtime_cpu_affinity_initial_in_child(const struct oci_cpu_affinity *affinity, struct err *e);
int runtime_cpu_affinity_final_in_child(const struct oci_cpu_affinity *affinity, struct err *e);

/* Gives the process all CPUs of its cgroup where the container asked for some: the narrower ones
 * of whoever starts it (a service's CPUAffinity=) would otherwise win (Linux 6.2). */
void runtime_cpu_affinity_reset_in_child(const struct oci_spec *spec);
