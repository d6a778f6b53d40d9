#include "runtime/update.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device_add.h"
#include "runtime/runtime.h"

/* What replaces the spec's rules is remembered: a device that is added later comes on top of it. */
static void take_rules(struct runtime_container *container, struct oci_resources *resources)
{
	struct oci_resources old = { 0 };

	if (!resources->devices.count)
		return;
	old.devices.items = container->device_rules.items;
	old.devices.count = container->device_rules.count;
	container->device_rules.items = resources->devices.items;
	container->device_rules.count = resources->devices.count;
	resources->devices = old.devices;
}

int runtime_update(struct runtime_container *container, struct oci_resources *resources,
		   struct err *e)
{
	struct oci_resources all = *resources; /* borrows */
	own_fd int process = runtime_container_open(container);

	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	own_free struct oci_device_rule *rules = runtime_cgroup_device_join(&all, container);
	int r = runtime_cgroup_update(&container->cgroup, &all, e);
	if (r == 0)
		take_rules(container, resources);
	return r;
}
