/* mount_target.h - where a mount goes. Links of the image are followed below the container's root,
 * as docker and runc follow them (/var/run is one to /run in most images), but none decides where
 * the filesystems of the system lie, nor leads another mount into one of those: decision 0054. */
#pragma once

struct err;
struct runtime_mount;
struct runtime_mounts;
struct runtime_tree;

/* Before anything is mounted or made: no filesystem of the system meets a link or a file at its
 * place. */
int runtime_mount_target_check_in_child(const struct runtime_mounts *mounts,
					const struct runtime_tree *tree, struct err *e);

/* An O_PATH descriptor of the place of m, which is made where it is missing. */
int runtime_mount_target_open_in_child(const struct runtime_mount *m,
				       const struct runtime_mounts *all,
				       const struct runtime_tree *tree, struct err *e);
