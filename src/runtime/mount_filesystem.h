/* mount_filesystem.h - filesystems that are made for a container, in its namespaces: fsopen(2),
 * fsconfig(2), fsmount(2), Linux 5.2. */
#pragma once

struct err;
struct runtime_mount;
struct runtime_tree;

/* A new filesystem as a detached mount with its final flags. pid_namespace: what a procfs is to
 * show, -1: this process's; label: "context=LABEL" or NULL. */
int runtime_mount_filesystem_make_in_child(const struct runtime_mount *mount, int pid_namespace,
					   const char *label, struct err *e);

/* Option "remount": flags, propagation and filesystem of what is mounted at the destination. */
int runtime_mount_filesystem_change_in_child(const struct runtime_mount *mount,
					     const struct runtime_tree *tree, struct err *e);
