/* overlay_driver.h - by what the roots of containers are mounted whose upper folders are in a
 * folder: found out by mounting one there. */
#pragma once

struct err;

/* "overlay", "fuse-overlayfs"; NULL: by nothing, and e says why. */
const char *runtime_overlay_driver(int folder_fd, struct err *e);
