/* copy_up.h - an empty volume gets what the image has at its place: owners, modes, times,
 * extended attributes and hard links kept. Walks by descriptors alone, follows no link. */
#pragma once

struct err;

/* Is this folder empty? 1, 0 or -errno (no folder at all). */
int runtime_copy_up_is_empty(int fd);

/* Copies the folder from_fd (O_PATH will do) and all below it into the folder to_fd, if that is
 * empty; else does nothing. Does not cross mounts. What cannot be made here (devices without
 * CAP_MKNOD) is left out. */
int runtime_copy_up_in_child(int from_fd, int to_fd, struct err *e);
