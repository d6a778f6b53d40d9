/* cgroup_memory.h - may a living container be given this memory limit? Private to cgroup*.c. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_resources;

/* ERR_STATE where more is in use than the new limit allows, and cannot be freed: v2 would kill.
 * With checkBeforeUpdate nothing is freed for it, and v1 is asked, too, which otherwise refuses by
 * itself. Best effort: the container goes on meanwhile. */
int runtime_cgroup_memory_check(int folder, const struct oci_resources *resources, bool v2,
				struct err *e);
