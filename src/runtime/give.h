/* give.h - "chown" among the options of a mount: all that lies there becomes the user's of the
 * container's process (podman's option U). */
#pragma once

struct err;
struct oci_spec;
struct runtime_user;

/* In the container's root, with the rights of its root. The trees are hostile: other containers may
 * change them meanwhile. No link is followed, and no mount below is entered. */
int runtime_give_mounts_in_child(int root_fd, const struct oci_spec *spec,
				 const struct runtime_user *user, struct err *e);
