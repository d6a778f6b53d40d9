/* mount_source.h - what a bind shows that lies on the host: a folder or file, or layers. Opened by
 * the parent as a detached mount, so that the container's process walks no path of the host's. */
#pragma once
#include <stdbool.h>

struct err;
struct runtime_mount;
struct runtime_mount_host;

bool runtime_mount_is_bind(const struct runtime_mount *mount);

/* Does it show several layers at once? */
bool runtime_mount_is_overlay(const struct runtime_mount *mount);

/* Sets source_fd and is_folder of a bind, or link of a source that is one ("copy-symlink"); as
 * mount.h says of host. ERR_INVALID for
 * words that a bind has no use for. */
int runtime_mount_source_open_in_parent(struct runtime_mount *mount,
					const struct runtime_mount_host *host, struct err *e);
