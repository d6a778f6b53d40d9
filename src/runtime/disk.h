/* disk.h - a disk image as a folder: its root filesystem on a loop device, mounted. The device is
 * freed by the kernel with the mount (LO_FLAGS_AUTOCLEAR, loop(4)), whoever was killed before. */
#pragma once
#include <stdbool.h>

struct err;

/* Is there something in the file that could be mounted? Changes nothing. */
int runtime_disk_check(const char *path, struct err *e);

/* A detached mount, the caller's. Without writable the kernel writes nothing, not even what is
 * left of a journal. */
int runtime_disk_mount_in_parent(int file_fd, bool writable, struct err *e);
