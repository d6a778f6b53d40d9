/* cgroup_mount.h - what the container sees of its cgroups: its own part of each hierarchy, bound
 * to where programs look for it. cgroup_namespaces(7), cgroups(7). */
#pragma once

struct err;
struct runtime_cgroup;
struct runtime_mount;
struct runtime_tree;

/* v2: the cgroup's own folder on target_fd. v1: a tmpfs with a folder for each hierarchy, of this
 * label (mount_label.h). */
int runtime_cgroup_mount_in_child(const struct runtime_mount *mount, struct runtime_tree *tree,
				  int target_fd, const struct runtime_cgroup *cgroup,
				  const char *label, struct err *e);
