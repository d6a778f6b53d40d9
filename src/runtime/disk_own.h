/* disk_own.h - an ext4 in a file, as large as what is written into it may become: the upper and
 * work folders of a container where the filesystem of the store counts for nobody (decision 0051).
 * Whoever wants it shares one loop device with those who have it, so that it is one filesystem
 * for all of them; the device goes with its last mount. Root of the host alone. */
#pragma once
#include <stdint.h>

struct err;

/* A detached mount, the caller's. */
int runtime_disk_own_mount_in_parent(int file_fd, struct err *e);

/* Makes the file longer, and what is mounted of it larger, while it is used. */
int runtime_disk_own_grow(int file_fd, int mount_fd, uint64_t bytes, struct err *e);
