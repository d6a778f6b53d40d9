/* cgroup_systemd.h - cgroups by systemd ("systemd cgroup manager"): the container's is made by
 * systemd as a transient scope with Delegate=yes, whose limits systemd knows, too, and a folder
 * below it is holm's alone. org.freedesktop.systemd1(5); systemd's CGROUP_DELEGATION.
 * docs/decisions/0017-dbus.md says why D-Bus is spoken here, 0018-systemd-scopes.md the rest. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_resources;
struct runtime_cgroup;
struct shape_map;

struct runtime_cgroup_request {
	const char *path; /* cgroupsPath, "slice:prefix:name", or NULL */
	const char *id;
	const struct oci_resources *resources; /* or NULL */
	bool user_scope;                       /* runtime_options */
	const struct shape_map *annotations; /* org.systemd.property.*, run.oci.systemd.subgroup */
};

/* As runtime_cgroup_create_in_parent(). A process without a task waits in the scope, which would
 * end without one, until runtime_cgroup_settle(). ERR_UNREACHABLE: no systemd answers here. */
int runtime_cgroup_systemd_create_in_parent(struct runtime_cgroup *ret,
					    const struct runtime_cgroup_request *request,
					    struct err *e);

/* The container's first process is in its cgroup, or will never be. */
void runtime_cgroup_settle(struct runtime_cgroup *cgroup);

/* Tells systemd the new limits, after they were written. */
int runtime_cgroup_systemd_update(const struct runtime_cgroup *cgroup,
				  const struct oci_resources *resources, struct err *e);

/* Ends the unit. Where nobody answers, systemd ends the empty scope by itself. */
void runtime_cgroup_systemd_stop(const struct runtime_cgroup *cgroup);
