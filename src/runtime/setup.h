/* setup.h - the first process of a container, from clone3(2) to launch.h: its namespaces, cgroup,
 * file tree. The parent opens and parses all there is to open and parse on the host, so that the
 * child has little to do and most errors are told before there is one. */
#pragma once
#include <stdbool.h>

#include "runtime/cgroup.h"
#include "runtime/device.h"
#include "runtime/launch.h"
#include "runtime/mount.h"
#include "runtime/namespace.h"
#include "runtime/user_namespace.h"

struct err;
struct oci_spec;
struct runtime_options;

struct runtime_setup {
	const struct oci_spec *spec;
	struct runtime_namespaces namespaces;
	uint64_t foreign; /* CLONE_NEW*: joined before the user namespace, see namespace.h */
	struct runtime_user_namespace user;
	struct runtime_mounts mounts;
	struct runtime_devices devices;
	struct runtime_launch launch;
	int rootfs_fd; /* -1: a mount namespace is joined, the tree is as it is */
	const struct runtime_cgroup *cgroup; /* borrowed */
	struct runtime_cgroup_entry entry;
	bool entered;       /* born in its cgroup of v2 */
	bool inner;         /* the container is in another user namespace than the first */
	bool tree_in_child; /* the caller may not make mounts: the child opens what lies on the
			     * host, as root of its user namespace */
};

/* All but cgroup, entry and launch.channel. The caller ends *ret, after a failure, too. */
int runtime_setup_prepare_in_parent(struct runtime_setup *ret, const struct oci_spec *spec,
				    const struct runtime_options *options, struct err *e);
void runtime_setup_clear(struct runtime_setup *setup);

/* The flags for clone3(2). Cgroup and time namespaces come later, in the child; all of them when
 * the user namespace takes a fork (setup_user.h). */
uint64_t runtime_setup_clone_flags(const struct runtime_setup *setup);

/* In how many other processes, one after the other, does the child go on? Each is told by
 * RUNTIME_MESSAGE_PID. */
int runtime_setup_forks(const struct runtime_setup *setup);

/* Returns only on failure. */
int runtime_setup_in_child(struct runtime_setup *setup, struct err *e);
