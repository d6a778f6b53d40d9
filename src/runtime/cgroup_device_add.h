/* cgroup_device_add.h - one more device for a living cgroup, whose processes use theirs
 * meanwhile. */
#pragma once

struct err;
struct oci_device_rule;
struct oci_resources;
struct runtime_cgroup;
struct runtime_container;

/* Puts the rules of devices that were added to the container behind those of resources. The caller
 * frees what is returned, the list; the rules themselves are borrowed. Without rules in resources
 * nothing is forbidden, and nothing is to be allowed: they stay none. */
struct oci_device_rule *runtime_cgroup_device_join(struct oci_resources *resources,
						   const struct runtime_container *container);

/* Allows what the last of the rules says; those before it hold already. v1: one more exception.
 * v2: the program is replaced in one step by one for all of them. Without rules there is nothing to
 * do. */
int runtime_cgroup_device_add(const struct runtime_cgroup *cgroup,
			      const struct oci_resources *resources, struct err *e);

/* Forbids the device of this rule, which is none of resources' any more. What these say of it
 * otherwise holds; where they allow every device nothing changes. */
int runtime_cgroup_device_remove(const struct runtime_cgroup *cgroup,
				 const struct oci_resources *resources,
				 const struct oci_device_rule *rule, struct err *e);
