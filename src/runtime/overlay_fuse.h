/* overlay_fuse.h - the same overlay by fuse-overlayfs(1), for an ordinary user whose home is on a
 * filesystem that overlayfs takes no upper folder from (NFS, ecryptfs, another overlay). Its
 * process ends when the last mount of it is gone; nobody has to end it. */
#pragma once
#include <stdbool.h>

struct err;
struct runtime_overlay;

/* Can it be used? *ret_why: if not. */
bool runtime_overlay_fuse_may(const char **ret_why);

/* As runtime_overlay_mount_in_parent(), of layers that are not mapped. */
int runtime_overlay_fuse_mount_in_parent(const struct runtime_overlay *overlay, const char *scratch,
					 struct err *e);
