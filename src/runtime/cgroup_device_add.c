#include "runtime/cgroup_device_add.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_layout.h"
#include "runtime/runtime.h"

static int allow_v1(int folder, const struct oci_device_rule *rule, struct err *e)
{
	own_free char *line = mem_format("%s %lld:%lld %s", rule->type, (long long)*rule->major,
					 (long long)*rule->minor, rule->access);

	return fd_write_control_at(folder, "devices.allow", line, e);
}

struct oci_device_rule *runtime_cgroup_device_join(struct oci_resources *resources,
						   const struct runtime_container *container)
{
	size_t first = resources->devices.count, added = container->devices.count;
	struct oci_device_rule *items = mem_new(first + added + 1, sizeof(*items));

	if (first) {
		memcpy(items, resources->devices.items, first * sizeof(*items));
		resources->devices.count += added;
	}
	if (first && added)
		memcpy(items + first, container->devices.items, added * sizeof(*items));
	resources->devices.items = items;
	return items;
}

int runtime_cgroup_device_add(const struct runtime_cgroup *cgroup,
			      const struct oci_resources *resources, struct err *e)
{
	size_t count = resources->devices.count;

	if (!count)
		return 0;
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "devices");
	if (folder < 0)
		return err_number(e, -folder, "open the cgroup to allow a device");
	const struct oci_device_rule *last = &resources->devices.items[count - 1];
	int r = runtime_cgroup_device_check(last, e);
	if (r < 0)
		return r;
	return runtime_cgroup_is_v2(cgroup) ? runtime_cgroup_device_bpf_attach(folder, resources, e)
					    : allow_v1(folder, last, e);
}
