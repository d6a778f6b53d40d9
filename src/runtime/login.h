/* login.h - org.holm.login, "NAME:UID:GID:HOME": a user of the host who is inside by the same
 * number (keep-id) gets a line in /etc/passwd and /etc/group, unless they have the name or the
 * number. */
#pragma once

struct err;
struct oci_spec;
struct runtime_tree;

/* A root that cannot be written to, and files that are not there, stay so. */
int runtime_login_add_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
			       struct err *e);
