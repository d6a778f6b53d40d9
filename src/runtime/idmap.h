/* idmap.h - the ids of user namespaces: uid_map and gid_map of a new one, and mounts that show
 * their files with other owners (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12). */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_spec;
struct oci_mount;
struct oci_id_mappings;

/* Writes the maps of the user namespace of pid, a child that was cloned into a new one. */
int runtime_idmap_write_in_parent(pid_t pid, const struct oci_id_mappings *uids,
				  const struct oci_id_mappings *gids, struct err *e);

/* Maps the detached mount fd by mount's own mappings or, without those, the container's. */
int runtime_idmap_mount_in_parent(int fd, const struct oci_mount *mount,
				  const struct oci_spec *spec, bool recursive, struct err *e);

/* Is this process in another user namespace than the first one? */
bool runtime_idmap_in_user_namespace(void);
