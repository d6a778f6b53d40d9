/* config_mount.h - what -v, --mount and --tmpfs say, as Docker spells it. Pure text: whether the
 * source exists is not asked here. */
#pragma once
#include "engine/container.h"

struct err;

/* [SOURCE:]TARGET[:OPTION,...]: SOURCE is a path ("/x", "./x": below folder, the caller's working
 * directory) or a volume's name; without it the volume is anonymous. Fills the zeroed *to, which
 * the caller clears (container_mount_clear), also on failure. ERR_INVALID. */
int config_mount_volume(struct container_mount *to, const char *text, const char *folder,
			struct err *e);

/* type=bind|volume|tmpfs|image,source=...,target=...: fields as CSV, so that a quoted one may hold
 * a comma. The same rules. */
int config_mount_mount(struct container_mount *to, const char *text, const char *folder,
		       struct err *e);

/* TARGET[:OPTION,...] with the options of mount(8) for tmpfs. The same rules. */
int config_mount_tmpfs(struct container_mount *to, const char *text, struct err *e);

/* The values of --volume, --mount and --tmpfs, in this order, as further mounts of *to. */
int config_mount_add(struct container_storage *to, const struct strv *volumes,
		     const struct strv *mounts, const struct strv *tmpfs, const char *folder,
		     struct err *e);

/* *ret is path made lexically clean; refused unless it is absolute and not "/". The caller's. */
int config_mount_target(char **ret, const char *path, struct err *e);

void container_mount_clear(struct container_mount *mount);
