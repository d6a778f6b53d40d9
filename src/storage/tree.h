/* tree.h - how much of the disk a folder takes. Trees that containers wrote are hostile: any
 * names, and any depth, of which the part below TREE_DEPTH_MAX is not looked at. */
#pragma once
#include <stdint.h>

struct err;

enum { TREE_DEPTH_MAX = 512 };

/* Bytes of the disk (st_blocks) below folder_fd, which stays the caller's; each link of a file
 * takes its share. Crosses no mount. ERR_CORRUPT for a tree that is too deep. */
int storage_tree_size(int folder_fd, uint64_t *ret, struct err *e);
