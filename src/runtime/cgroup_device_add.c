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

static int allow_v1(int folder, const struct oci_device_rule *rule, struct err *e)
{
	own_free char *line = mem_format("%s %lld:%lld %s", rule->type, (long long)*rule->major,
					 (long long)*rule->minor, rule->access);

	return fd_write_control_at(folder, "devices.allow", line, e);
}

static int replace_v2(int folder, const struct oci_resources *resources,
		      const struct oci_device_rule *rules, size_t count, struct err *e)
{
	struct oci_resources all = { 0 };
	size_t first = resources->devices.count;

	all.devices.count = first + count;
	own_free struct oci_device_rule *items = mem_new(all.devices.count, sizeof(*items));
	memcpy(items, resources->devices.items, first * sizeof(*items));
	memcpy(items + first, rules, count * sizeof(*items));
	all.devices.items = items;
	return runtime_cgroup_device_bpf_attach(folder, &all, e);
}

int runtime_cgroup_device_add(const struct runtime_cgroup *cgroup,
			      const struct oci_resources *resources,
			      const struct oci_device_rule *rules, size_t count, struct err *e)
{
	if (!resources || !resources->devices.count)
		return 0;
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "devices");
	if (folder < 0)
		return err_number(e, -folder, "open the cgroup to allow a device");
	int r = runtime_cgroup_device_check(&rules[count - 1], e);
	if (r < 0)
		return r;
	return runtime_cgroup_is_v2(cgroup) ? replace_v2(folder, resources, rules, count, e)
					    : allow_v1(folder, &rules[count - 1], e);
}
