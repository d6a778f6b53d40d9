/* quota_disk.h - the disk of a container: disk.img in its folder, an ext4 that ends where its quota
 * does, with the folders upper and work in it (runtime/disk_own.h). A part of quota.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

#define QUOTA_DISK_FILE "disk.img"
#define QUOTA_DISK_NEW  "disk.new" /* of another size, until it is renamed */

/* Below that there is hardly room for anything but the filesystem itself. */
enum { QUOTA_DISK_MIN = 4 << 20 };

/* Is all there that it takes? ERR_UNSUPPORTED. */
int quota_disk_check(struct err *e);

/* Makes one, empty, in place of what a killed one left; returns it mounted, the caller's. */
int quota_disk_make(int folder_fd, uint64_t bytes, struct err *e);

/* Returns it mounted, the caller's: with those who have it mounted already it is one. */
int quota_disk_open(int folder_fd, struct err *e);

/* Larger, at once. *ret false: this kernel or caller cannot do that to one that is in use. */
int quota_disk_grow(bool *ret, int folder_fd, uint64_t bytes, struct err *e);

/* Of one that is not in use: a new one of this size with all that is in it, in its place. */
int quota_disk_renew(int folder_fd, uint64_t bytes, struct err *e);
