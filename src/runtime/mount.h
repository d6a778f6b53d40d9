/* mount.h - the entries of the spec's mounts, one by one and in their order. Whatever lies on the
 * host is opened by the parent, as a detached mount with its final flags; filesystems that belong
 * to a namespace (proc, sysfs, mqueue, devpts, tmpfs...) are made by the child. Both are then moved
 * onto a descriptor of the target, never onto a path (the class of CVE-2021-30465). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "runtime/mount_option.h"

struct err;
struct oci_spec;
struct oci_mount;
struct runtime_tree;
struct runtime_cgroup;
struct runtime_namespaces;
struct runtime_user_namespace;

struct runtime_mount {
	const struct oci_mount *spec; /* borrowed */
	struct runtime_mount_options options;
	int source_fd;  /* a detached mount, or -1: the child makes the filesystem */
	bool is_folder; /* what source_fd is */
	char *link;     /* what a link says that is to be made instead of a mount, or NULL */
};

struct runtime_mounts {
	struct runtime_mount *items;
	size_t count;
	int pid_namespace; /* joined for children only: a procfs is to show that; borrowed, or -1 */
	char *label;       /* mount_label.h, or NULL */
	bool guest;        /* of a whole system: guest.h */
};

struct runtime_mount_host {
	const char *bundle;                  /* relative sources count from it */
	struct runtime_user_namespace *user; /* whose ids mounts are mapped to */
	const struct runtime_namespaces *namespaces;
	char *label; /* of overlays; runtime_mount_open_in_parent() sees to it */
};

/* Parses all options and opens what lies on the host.
 * The caller clears *ret, after a failure, too. */
int runtime_mount_open_in_parent(struct runtime_mounts *ret, const struct oci_spec *spec,
				 const struct runtime_mount_host *host, struct err *e);
void runtime_mount_clear(struct runtime_mounts *mounts);

/* Attaches all of them and notes them in the tree. cgroup: the container's, for mounts of type
 * "cgroup". */
int runtime_mount_attach_in_child(const struct runtime_mounts *mounts, struct runtime_tree *tree,
				  const struct runtime_cgroup *cgroup, struct err *e);

/* The flags of a mount that nobody can see yet. Those that the host has locked in this user
 * namespace (mount_namespaces(7)) stay, with a warning. */
int runtime_mount_set_flags(int fd, const struct runtime_mount_options *options, struct err *e);

/* Moves the detached mount fd onto target_fd. */
int runtime_mount_move(int fd, int target_fd, struct err *e);

/* A detached clone of what is at fd (O_PATH will do), alone, without what is mounted below. */
int runtime_mount_clone(int fd, struct err *e);

/* As err_sys() for a failed fsconfig(2), and the reason that the filesystem itself wrote into its
 * context fs, if it did. */
int runtime_mount_error(struct err *e, int fs, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
