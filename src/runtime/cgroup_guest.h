/* cgroup_guest.h - what the init of a whole system gets of the cgroups: a part of a v2 tree that is
 * its own, also on a host of v1. There its limits lie in the hierarchies of v1, which it does not
 * see; beside them it is a member of the host's v2 tree, in a cgroup of the same path, and that is
 * what it finds at /sys/fs/cgroup. systemd keeps its units there (version 258 takes nothing else),
 * and nothing that it writes touches a limit. */
#pragma once

struct err;
struct runtime_cgroup;
struct runtime_cgroup_hierarchy;
struct shape_map;

/* Annotation org.holm.cgroup.guest, "UID:GID": the host's ids of the guest's root, to whom the
 * part is given (on v2, too). On a host without a v2 tree the guest sees v1, as other
 * containers do, with a warning. On failure *cgroup is removed and cleared. */
int runtime_cgroup_guest_add_in_parent(struct runtime_cgroup *cgroup,
				       const struct shape_map *annotations, struct err *e);

/* For one whose record is lost: the v2 tree as a hierarchy it may be in. */
void runtime_cgroup_guest_add_lost(struct runtime_cgroup *cgroup,
				   const struct shape_map *annotations);

/* The tree of v2 that the cgroup is in, borrowed; NULL: none. */
const struct runtime_cgroup_hierarchy *
runtime_cgroup_guest_tree(const struct runtime_cgroup *cgroup);
