/* image_mount.h - the files of images, as folders of the host: read-only overlays at
 * $run/images/HEX, HEX of the manifest's digest, in the mount namespace of the caller. While such a
 * folder is there its image is neither removed nor collected. */
#pragma once
#include <stdbool.h>

#include "storage/changes.h"

struct engine;
struct err;
struct strv;

/* Mounts it, unless it is. *ret_path is the caller's. ERR_NOT_FOUND. */
int engine_image_mount(struct engine *engine, const char *name, char **ret_path, struct err *e);

/* ERR_STATE: it is not mounted. A process that uses the folder keeps it. */
int engine_image_unmount(struct engine *engine, const char *name, struct err *e);

/* Adds the digests of those that are mounted. */
int engine_image_mounts(struct engine *engine, struct strv *to, struct err *e);

bool engine_image_is_mounted(struct engine *engine, const char *digest);

/* The absolute path for this digest; the caller frees. */
char *engine_image_mount_path(struct engine *engine, const char *digest);

/* What the image has other than the one called old, or (old NULL) than it had without its topmost
 * layer. The caller ends *ret with storage_changes_clear(), after a failure, too. */
int engine_image_diff(struct engine *engine, const char *name, const char *old,
		      struct storage_changes *ret, struct err *e);
