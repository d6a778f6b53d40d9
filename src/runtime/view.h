/* view.h - the tree of files that a container would see, without the container: for who copies to
 * and from one that does not run. */
#pragma once

struct err;
struct oci_spec;

/* A detached mount of the spec's root with its mounts in their places, the caller's. Of the spec
 * the root (root.path or the annotations of runtime.h), the user namespace with its mappings and
 * the mounts count; filesystems of a namespace (proc, mqueue...) are not for this. What is missing
 * as a place for a mount is made, as at a start. Nobody else may have the upper folder mounted. */
int runtime_view_open_in_parent(const struct oci_spec *spec, const char *bundle, struct err *e);
