/* tree.h - the files of a container, whether it runs or not, as the descriptor of its root: for
 * cp, export and whoever else reads or writes there. Everything below is walked by base/path.h, so
 * that links of the container's lead nowhere else. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"
#include "engine/state.h"

struct engine;
struct err;
struct oci_id_map;
struct strv;

enum engine_tree_mounts {
	ENGINE_TREE_WITH_MOUNTS, /* as its processes see it; of one that does not run with volumes
				  * and binds in their places */
	ENGINE_TREE_ALONE,       /* the root without what is mounted in it */
	ENGINE_TREE_CLOSED,      /* no root at all: record, state and lock */
};

struct engine_tree {
	struct container container;
	struct container_state state;
	int root_fd; /* a detached mount: what it shows stays there while it is open */
	int lock;    /* of the container's folder, held while it does not run; else -1 */
};
#define ENGINE_TREE_NONE                                                                           \
	{                                                                                          \
		.root_fd = -1, .lock = -1                                                          \
	}

/* Opens it; the caller ends *ret, which begins as ENGINE_TREE_NONE, with engine_tree_close(), after
 * a failure, too. While it is open nobody starts or removes a container that does not run. */
int engine_tree_open(struct engine *engine, const char *name, enum engine_tree_mounts mounts,
		     struct engine_tree *ret, struct err *e);
void engine_tree_close(struct engine_tree *tree);

/* Is it still there? What was read of one that was removed meanwhile is not all of it:
 * ERR_STATE. */
int engine_tree_check(struct engine *engine, const struct engine_tree *tree, struct err *e);

/* Its layers alone (lower.h), read-only, with the owners that its files have; or those of an image,
 * lowest first, as they are. A detached mount, the caller's. */
int engine_tree_open_layers(struct engine *engine, const struct container *c, bool image_only,
			    struct err *e);
int engine_tree_open_image(struct engine *engine, const struct strv *layers, struct err *e);

/* The root of one that does not run and is the caller's to change: made just now, its folder
 * locked. A detached mount, the caller's. */
int engine_tree_open_still(struct engine *engine, const struct container *c, struct err *e);

/* What it wrote: the upper folder, the caller's. Places for mounts that holm itself makes are in
 * it; engine_tree_own_places names them, for who looks for changes (storage/changes.h,
 * storage/pack.h). */
int engine_tree_open_upper(struct engine *engine, const struct container *c, struct err *e);
extern const char *const engine_tree_own_places[];

/* The ids that its files have on the host. Borrowed from the container's record. */
struct oci_id_map engine_tree_ids(const struct container *c);
