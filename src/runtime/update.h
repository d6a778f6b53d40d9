/* update.h - other limits for a container that runs. */
#pragma once

struct err;
struct oci_resources;
struct runtime_container;

/* What resources does not name stays; all of it is done or nothing (runtime_cgroup_update). The
 * devices that were added stay allowed. What resources say of devices is taken from them. The
 * caller stores *container afterwards, on failure, too. ERR_STATE: "container not running", or a
 * memory limit below what is in use. */
int runtime_update(struct runtime_container *container, struct oci_resources *resources,
		   struct err *e);
