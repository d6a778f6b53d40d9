/* update.h - other limits for a container that runs. */
#pragma once

struct err;
struct oci_intel_rdt;
struct oci_resources;
struct runtime_container;
struct runtime_store;

/* What resources does not name stays; all of it is done or nothing (runtime_cgroup_update). The
 * devices that were added stay allowed. What resources say of devices is taken from them. The
 * caller stores *container afterwards, on failure, too. ERR_STATE: "container not running", or a
 * memory limit below what is in use. */
int runtime_update(struct runtime_container *container, struct oci_resources *resources,
		   struct err *e);

/* Other shares of caches and memory bandwidth: of spec the schemas count. A container that had no
 * group of resctrl gets one, with all its threads. A group that is named (closID) is changed for
 * all that are in it. ERR_UNSUPPORTED: no resctrl is mounted; ERR_STATE. */
int runtime_update_intel_rdt(struct runtime_container *container, const struct oci_intel_rdt *spec,
			     const struct runtime_store *store, struct err *e);
