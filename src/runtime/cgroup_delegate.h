/* cgroup_delegate.h - a part of the cgroup tree given away to the container, for a systemd (or
 * another runtime) that it starts. cgroup-v2.rst, "Delegation". */
#pragma once
#include <sys/types.h>

struct err;
struct runtime_cgroup;
struct shape_map;

/* Annotation run.oci.delegate-cgroup, "NAME": below the cgroup, which keeps the limits, one for the
 * processes, with all controllers. v2 alone (ERR_UNSUPPORTED): on v1 it is not safe. */
int runtime_cgroup_delegate_leaf(struct runtime_cgroup *cgroup, const struct shape_map *annotations,
				 struct err *e);

/* Makes the ids the owner of the cgroup and of the files in it that may be given away
 * (/sys/kernel/cgroup/delegate, Linux 4.15): its limits are not among them. Nothing on v1 but
 * in the v2 tree of a guest (cgroup_guest.h). */
int runtime_cgroup_delegate_to(const struct runtime_cgroup *cgroup, uid_t uid, gid_t gid,
			       struct err *e);
