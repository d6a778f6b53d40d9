/* copied.h - a container whose root is a folder, and not layers: an ordinary user's whose home is
 * on a filesystem that neither overlayfs nor fuse-overlayfs can write to. Its upper folder is a
 * copy of all of its image, made with it. What it changed is found by comparing (diff); a commit is
 * all of its files as one layer, and a clone copies them; there are no snapshots. */
#pragma once

struct container;
struct engine;
struct err;
struct runtime_idmap;

/* Sets c->storage.copied where there is no other way, and says so. Asks nothing where the store is
 * on a filesystem that is known to do. */
void engine_copied_choose(struct engine *engine, struct container *c);

/* Fills the upper folder, which is empty. Nothing for others. */
int engine_copied_fill(struct engine *engine, const struct container *c, int upper_fd,
		       struct err *e);

/* The folders of c, a clone of the stopped one in from_fd, which has these ids, below folder_fd:
 * the files with the ids that c has. Returns the upper one, the caller's. */
int engine_copied_clone(const struct container *c, int from_fd, const struct runtime_idmap *ids,
			int folder_fd, struct err *e);

/* ERR_UNSUPPORTED: it is one, and has no layers. */
int engine_copied_check(const struct container *c, struct err *e);
