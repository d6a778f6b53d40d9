/* idmap_mount.h - mounts that show their files with other owners: mount_setattr(2),
 * MOUNT_ATTR_IDMAP, Linux 5.12. A file of id N below it appears as the host's id that the
 * container's map gives N, which is N again in the container; nothing on the disk changes. */
#pragma once
#include <stdbool.h>

struct err;

/* Maps the detached mount fd (all: and those below it) by user_fd, a user namespace. The error
 * names the filesystem, and the version of Linux that can map it where there is one. */
int runtime_idmap_mount_in_parent(int fd, int user_fd, bool all, struct err *e);
