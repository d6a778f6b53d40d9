/* overlay.h - the root as layers, overlayfs(5): read from the annotations org.holm.rootfs.*,
 * made as a detached mount. Folders are handed to the kernel as /proc/self/fd/N: short, so that
 * many fit, and no path of the host shows in the container's mountinfo. */
#pragma once
#include <stdbool.h>

#include "base/shape.h"
#include "runtime/idmap.h"

struct err;
struct runtime_user_namespace;

/* Linux: OVL_MAX_STACK in fs/overlayfs/params.h. */
enum { RUNTIME_OVERLAY_LAYERS_MAX = 500 };

/* Whose the files of a layer are that some container wrote. */
struct runtime_overlay_owners {
	size_t layer;             /* which of lower */
	struct runtime_idmap ids; /* an id on the disk, and what it is to be on this host; empty:
				   * they are as they are */
};

struct runtime_overlay {
	struct strv lower; /* the topmost first; empty: not an overlay */
	/* of those that are not as an image's (overlay_lower.h) */
	SHAPE_LIST_OF(struct runtime_overlay_owners) owners;
	struct strv
		data; /* folders with bytes of files that say so, the topmost first: overlayfs(5),
			   * "Data-only lower layers" */
	char *upper;  /* NULL: read-only */
	char *work;
	char *disk; /* a file (disk_own.h): upper and work are names of folders in its root */
	bool is_volatile;
	char *label;                         /* mount_label.h; NULL: files keep their own */
	struct runtime_user_namespace *user; /* whose ids the layers are mapped to; borrowed.
					      * NULL: they are as they are */
};

/* ERR_INVALID names the annotation that is wrong. The caller clears *ret. */
int runtime_overlay_read(struct runtime_overlay *ret, const struct shape_map *annotations,
			 struct err *e);
void runtime_overlay_clear(struct runtime_overlay *overlay);

/* A detached mount, the caller's. With user the layers are idmapped mounts (Linux 5.19): one copy
 * of each serves every container, whatever its ids, and an upper folder whose owner has no id in
 * the container becomes its root's. One layer without an upper folder is bound, and cannot have
 * another label (ERR_UNSUPPORTED). scratch is any folder, used as a mount point in a short-lived
 * mount namespace where the kernel (before 6.5) takes many layers only by mount(2). */
int runtime_overlay_mount_in_parent(const struct runtime_overlay *overlay, const char *scratch,
				    struct err *e);

/* Does the kernel take layers with data alone in a user namespace (Linux 6.16)? By two folders. */
bool runtime_overlay_takes_data(const char *folder, const char *other);

/* Runs helper, which mounts, in a mount namespace of its own: the descriptor it returns, the
 * caller's, or its error. */
typedef int runtime_overlay_helper(const struct runtime_overlay *overlay, const char *scratch,
				   struct err *e);
int runtime_overlay_mount_by(runtime_overlay_helper *helper, const struct runtime_overlay *overlay,
			     const char *scratch, struct err *e);

/* The way for old kernels, by itself for its test. */
int runtime_overlay_mount_by_option_string(const struct runtime_overlay *overlay,
					   const char *scratch, struct err *e);
