/* mount_kernel.h - procfs, sysfs and mqueue for a container that may not mount its own: the kernel
 * lets a user namespace mount them only for a PID, network or IPC namespace that it owns
 * (fs/proc/root.c, fs/sysfs/mount.c, ipc/mqueue.c). The caller then makes the mount by its own
 * rights. Where it has none, either, the container gets the host's, bound with all that is mounted
 * below it, as with runc and crun, and a warning says so. */
#pragma once

struct err;
struct runtime_mount;
struct runtime_namespaces;

/* Sets source_fd, a detached mount, where the container could not make the filesystem itself; the
 * flags of the options are on all of it. */
int runtime_mount_kernel_open_in_parent(struct runtime_mount *mount,
					const struct runtime_namespaces *namespaces, struct err *e);

/* Why this filesystem could not be mounted (EPERM), as far as it can be seen: adds the hint. */
int runtime_mount_kernel_explain_in_child(const struct runtime_mount *mount, struct err *e);
