/* cgroup_membership.h - where a process is: /proc/PID/cgroup, cgroups(7). */
#pragma once
#include <sys/types.h>

struct err;

#define RUNTIME_CGROUP_MEMBERSHIP_V2 ""

/* The path in the hierarchy whose controllers are these, in the words of that file: "name=systemd",
 * "cpu,cpuacct", or RUNTIME_CGROUP_MEMBERSHIP_V2. pid 0: the caller. The caller frees *ret.
 * ERR_NOT_FOUND: there is no such hierarchy. */
int runtime_cgroup_membership_read(char **ret, pid_t pid, const char *controllers, struct err *e);
