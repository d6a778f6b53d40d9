/* rootfs.h - the tree that becomes the container's "/": an overlay of layers or a plain folder.
 * The parent makes it as a detached mount, which shows in nobody's mount table; the child
 * attaches it in its own mount namespace and pivots into it. */
#pragma once

struct err;
struct oci_spec;
struct runtime_user_namespace;

/* A detached mount of the root, after root.path (relative to bundle) or the annotations
 * org.holm.rootfs.* (runtime.h). Private, or a slave of the host's; not yet read-only. user: whose
 * ids it shows where org.holm.rootfs.idmap says so. The caller's. */
int runtime_rootfs_open_in_parent(const struct oci_spec *spec, const char *bundle,
				  struct runtime_user_namespace *user, struct err *e);

/* Cuts the propagation between this mount namespace and the host's. */
int runtime_rootfs_isolate_in_child(struct err *e);

/* Attaches rootfs_fd on top of "/", where the host's tree can still be reached. */
int runtime_rootfs_attach_in_child(int rootfs_fd, struct err *e);

/* The same at root.path, for hooks, which look for it there; where there is no such folder or this
 * user namespace may not reach it, on top of "/" after all. */
int runtime_rootfs_attach_at_path_in_child(int rootfs_fd, const struct oci_spec *spec,
					   const char *bundle, struct err *e);

/* Makes rootfs_fd the root and lets go of the host's tree. The working directory is "/". */
int runtime_rootfs_pivot_in_child(int rootfs_fd, struct err *e);

/* The same without pivot_root(2), which has no root to exchange on a host that runs from its
 * initial ramdisk: the host's tree stays below, out of reach of paths. */
int runtime_rootfs_enter_in_child(int rootfs_fd, struct err *e);

/* After the last change to the tree: root.readonly and linux.rootfsPropagation. */
int runtime_rootfs_finish_in_child(int rootfs_fd, const struct oci_spec *spec, struct err *e);
