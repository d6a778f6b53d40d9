/* enter.h - one more process in a running container, from clone to launch.h: its cgroup, and all
 * its namespaces at once through a pidfd (setns(2), Linux 5.8). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/launch.h"

struct err;
struct runtime_container;
struct runtime_options;

struct runtime_enter {
	struct runtime_launch launch;
	struct runtime_cgroup_entry entry;
	struct oci_process process; /* a copy of the caller's with the gaps filled; borrows all */
	int pidfd;                  /* the container's first process */
	pid_t pid;                  /* its number */
	uint64_t namespaces;        /* CLONE_NEW*: which differ from the host's */
	bool entered;               /* born in its cgroup of v2 */
};

/* ERR_STATE when the container does not run. The caller ends *ret, after a failure, too. */
int runtime_enter_prepare_in_parent(struct runtime_enter *ret,
				    const struct runtime_container *container,
				    const struct oci_spec *spec, const struct oci_process *process,
				    const struct runtime_options *options, struct err *e);
void runtime_enter_clear(struct runtime_enter *enter);

/* Returns only on failure. */
int runtime_enter_in_child(struct runtime_enter *enter, struct err *e);
