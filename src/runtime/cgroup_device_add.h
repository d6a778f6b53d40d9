/* cgroup_device_add.h - one more device for a living cgroup, whose processes use theirs
 * meanwhile. */
#pragma once
#include <stddef.h>

struct err;
struct oci_device_rule;
struct oci_resources;
struct runtime_cgroup;

/* Allows what the last of count rules says; those before it were added in the same way. v1: one
 * more exception. v2: the program is replaced in one step by one for the rules in resources and
 * these. Nothing where resources (may be NULL) restrict no device. */
int runtime_cgroup_device_add(const struct runtime_cgroup *cgroup,
			      const struct oci_resources *resources,
			      const struct oci_device_rule *rules, size_t count, struct err *e);
