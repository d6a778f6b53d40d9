/* cgroup_choose.h - which way a container gets its cgroup: by files, by systemd, or none, as the
 * caller's options say. For who makes a container and who restores one. */
#pragma once

struct err;
struct oci_spec;
struct runtime_cgroup;
struct runtime_options;

/* Errors as of the three. The caller settles (cgroup_systemd.h), clears and, on a later failure,
 * removes it. */
int runtime_cgroup_choose_in_parent(struct runtime_cgroup *ret, const struct oci_spec *spec,
				    const struct runtime_options *options, struct err *e);
