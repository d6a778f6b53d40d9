/* device.h - device nodes, the container's /dev: the six that runtime-spec
 * config-linux.md#default-devices demands, those of linux.devices, and the symbolic links. Made
 * by mknodat(2) on descriptors; in a user namespace, where the kernel forbids that, bound from
 * the host's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct oci_spec;
struct runtime_tree;

struct runtime_device {
	const char *path; /* borrowed */
	mode_t mode;      /* with the type */
	dev_t device;
	uid_t uid;
	gid_t gid;
	int source_fd; /* a detached mount of the host's node, or -1 */
};

struct runtime_devices {
	struct runtime_device *items;
	size_t count;
};

/* Reads linux.devices, checking type and numbers. bind: open the host's nodes of the same paths,
 * which must be those devices. The caller clears *ret, after a failure, too. */
int runtime_device_open_in_parent(struct runtime_devices *ret, const struct oci_spec *spec,
				  bool bind, struct err *e);
void runtime_device_clear(struct runtime_devices *devices);

/* Makes nodes and links; the umask must be 0. A node that is there already must be the same
 * device. */
int runtime_device_make_in_child(const struct runtime_devices *devices,
				 const struct runtime_tree *tree, struct err *e);

/* One of them, without the rest. */
int runtime_device_make_one_in_child(const struct runtime_device *device,
				     const struct runtime_tree *tree, struct err *e);

/* Is it one of the six, at its place? */
bool runtime_device_is_standard(const char *path, dev_t device);

/* Is fd the null device, character 1:3? What masks paths must be (CVE-2025-31133). */
bool runtime_device_is_null(int fd);
