#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_plan.h"

int runtime_cgroup_check(const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };

	int r = runtime_cgroup_host_read(&host, e);
	if (r < 0 || str_equal(host.layout, "none"))
		return r;
	r = runtime_cgroup_is_v2(&host) ? runtime_cgroup_plan_v2(&plan, resources, e)
					: runtime_cgroup_plan_v1(&plan, resources, e);
	for (size_t i = 0; r == 0 && i < plan.count; i++)
		if (!runtime_cgroup_host_has(&host, plan.items[i].controller))
			r = runtime_cgroup_missing(plan.items[i].controller, plan.items[i].file, e);
	return r;
}
