/* clone.h - clone3(2), or where a filter refuses that clone(2), as a fork: the child
 * goes on in a copy of the caller's memory. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

/* flags: CLONE_*; cgroup_fd: a folder of cgroup v2 to be born in (CLONE_INTO_CGROUP, Linux 5.7),
 * or -1; pidfd: where a pidfd goes (O_CLOEXEC), or NULL. The child has default handlers for all
 * signals it does not ignore. Returns the pid, 0 in the child, or -errno. */
pid_t runtime_clone(uint64_t flags, int cgroup_fd, int *pidfd);
