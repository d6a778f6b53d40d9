/* device_add.h - a device for a container that runs: allowed in its cgroup, and a node for it; and
 * both taken away again. */
#pragma once

struct err;
struct oci_device_rule;
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

/* Takes the node at path away, if it is the device of rule (type, major and minor count; 0:0: any)
 * and one that not every container has, and forbids that, unless the rules of spec, which has it no
 * more, or another one that was added allow it. What has it open keeps it. A node that is gone is
 * fine. The caller stores *container. */
int runtime_device_remove(struct runtime_container *container, const struct oci_spec *spec,
			  const char *path, const struct oci_device_rule *rule, struct err *e);
