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

static int write_v1(int folder, const char *file, const struct oci_device_rule *rule,
		    const char *access, struct err *e)
{
	own_free char *line = mem_format("%s %lld:%lld %s", rule->type, (long long)*rule->major,
					 (long long)*rule->minor, access);

	return fd_write_control_at(folder, file, line, e);
}

static int allow_v1(int folder, const struct oci_device_rule *rule, struct err *e)
{
	return write_v1(folder, "devices.allow", rule, rule->access, e);
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

static bool is_of(const struct runtime_cgroup_device_rule *one, const struct oci_device_rule *rule)
{
	return one->allow && one->type == *rule->type && one->major == *rule->major &&
	       one->minor == *rule->minor;
}

static int allow_again(int folder, const struct runtime_cgroup_device_rule *one,
		       const struct oci_device_rule *rule, struct err *e)
{
	char access[4] = { 0 }, *end = access;

	if (one->access & BPF_DEVCG_ACC_READ)
		*end++ = 'r';
	if (one->access & BPF_DEVCG_ACC_WRITE)
		*end++ = 'w';
	if (one->access & BPF_DEVCG_ACC_MKNOD)
		*end++ = 'm';
	return write_v1(folder, "devices.allow", rule, access, e);
}

/* The exception goes whole, and what others allow of the same device, those among them that every
 * container has, is said again. */
static int remove_v1(int folder, const struct oci_resources *resources,
		     const struct oci_device_rule *rule, struct err *e)
{
	own_clear(
		runtime_cgroup_device_rules_clear) struct runtime_cgroup_device_rules rules = { 0 };

	int r = runtime_cgroup_device_rules_read(&rules, resources, e);
	if (r < 0 || rules.allow)
		return r;
	r = write_v1(folder, "devices.deny", rule, "rwm", e);
	for (size_t i = 0; r == 0 && i < rules.count; i++)
		if (is_of(&rules.items[i], rule))
			r = allow_again(folder, &rules.items[i], rule, e);
	return r;
}

int runtime_cgroup_device_remove(const struct runtime_cgroup *cgroup,
				 const struct oci_resources *resources,
				 const struct oci_device_rule *rule, struct err *e)
{
	if (!resources->devices.count)
		return 0;
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "devices");
	if (folder < 0)
		return err_number(e, -folder, "open the cgroup to forbid a device");
	return runtime_cgroup_is_v2(cgroup) ? runtime_cgroup_device_bpf_attach(folder, resources, e)
					    : remove_v1(folder, resources, rule, e);
}
