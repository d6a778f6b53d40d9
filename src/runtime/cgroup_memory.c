#include "runtime/cgroup_memory.h"

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_tree.h"

/* memory.reclaim, Linux 5.19; older ones leave it to memory.max. */
static void reclaim(int folder, uint64_t bytes)
{
	char text[24];
	struct err ignored;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	fd_write_control_at(folder, "memory.reclaim", text, &ignored);
}

int runtime_cgroup_memory_check(int folder, const struct oci_resources *resources, bool v2,
				struct err *e)
{
	const struct oci_resources_memory *memory = resources->memory;
	const char *file = v2 ? "memory.current" : "memory.usage_in_bytes";

	if (!memory || !memory->limit || *memory->limit <= 0)
		return 0;
	bool check = memory->check_before_update && *memory->check_before_update;
	if (!v2 && !check)
		return 0;
	uint64_t limit = (uint64_t)*memory->limit;
	uint64_t used = runtime_cgroup_tree_count(folder, file);
	if (used > limit && !check) {
		reclaim(folder, used - limit);
		used = runtime_cgroup_tree_count(folder, file);
	}
	if (used <= limit)
		return 0;
	err_set(e, ERR_STATE, "memory limit %llu: the container uses %llu bytes now",
		(unsigned long long)limit, (unsigned long long)used);
	return err_hint(e, "free memory in the container, or restart it with the lower limit");
}
