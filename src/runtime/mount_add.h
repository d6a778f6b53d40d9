/* mount_add.h - mounts into a container that runs, and their removal: crun's "mounts". Sources are
 * opened outside, as detached mounts; a child in the container's mount namespace attaches them by
 * descriptor. Filesystems that show a namespace (proc, sysfs, mqueue, cgroup) are refused. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_mount;
struct oci_spec;
struct runtime_container;
struct runtime_store;

/* What container.json remembers: only this is taken away again. */
struct runtime_mount_added {
	char *destination;
	uint64_t id;    /* the mount's: statx(2), STATX_MNT_ID_UNIQUE where the kernel has it; 0: it
		      * was being added, whoever did so was killed, and it is there or is not */
	uint64_t below; /* then: that of the mount there before, so that this is not taken for it;
			 * 0: nothing was there */
};

/* All of them or none. spec: the container's; sources count from bundle. They are recorded as being
 * added first, and the caller stores *container afterwards, on failure, too. ERR_STATE:
 * "container not running". */
int runtime_mount_add(struct runtime_container *container, const struct oci_spec *spec,
		      const struct oci_mount *mounts, size_t count, const char *bundle,
		      const struct runtime_store *store, struct err *e);

/* Of mounts only the destination counts. ERR_NOT_FOUND for one that was not added by the above, or
 * on top of which something else lies; those before it are gone by then. The caller stores
 * *container, on failure, too. */
int runtime_mount_remove(struct runtime_container *container, const struct oci_mount *mounts,
			 size_t count, struct err *e);
