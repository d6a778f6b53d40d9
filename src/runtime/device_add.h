/* device_add.h - a device for a container that runs: allowed in its cgroup, and a node for it. */
#pragma once

struct err;
struct oci_spec;
struct runtime_container;
struct runtime_store;

/* text: "HOST[:INSIDE[:ACCESS]]", docker's --device: the host's node, its path in the container
 * (the same), and of "rwm" what may be done (all). spec: the container's, whose rules stay, or
 * those of a later update. The caller stores *container after a failure. ERR_INVALID, ERR_STATE
 * ("container not running"), ERR_EXISTS: something else is at INSIDE. On failure the device is not
 * allowed, either. */
int runtime_device_add(struct runtime_container *container, const struct oci_spec *spec,
		       const char *text, const struct runtime_store *store, struct err *e);
