/* mask.h - paths that a container may not see (linux.maskedPaths) or write (readonlyPaths). */
#pragma once

struct err;
struct oci_spec;
struct runtime_tree;

/* A path that is not there needs nothing. Files are covered by the null device of the container's
 * own /dev, folders by one empty read-only tmpfs, shared, of this label
 * (mount_label.h). */
int runtime_mask_paths_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				const char *label, struct err *e);
int runtime_mask_readonly_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				   struct err *e);
/* org.holm.rootfs.writable: mounts of their own, which do not become read-only with the root. */
int runtime_mask_keep_writable_in_child(const struct oci_spec *spec,
					const struct runtime_tree *tree, struct err *e);
