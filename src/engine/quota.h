/* quota.h - how much a container may write (--storage-opt size=SIZE, decision 0051). Which way it
 * is counted is chosen when the container is made, and stands in its record, storage.quota:
 *	project		upper/ and work/ of the folder are of a project (storage/quota.h)
 *	image		they are in disk.img, an ext4 in a file (runtime/disk_own.h)
 *	NULL		nobody counts: storage.size is 0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct container;
struct container_state;
struct engine;
struct err;

#define ENGINE_QUOTA_PROJECT "project"
#define ENGINE_QUOTA_IMAGE   "image"

/* Chooses for c->storage.size, before anything is made. ERR_UNSUPPORTED, ERR_NO_SPACE: nothing here
 * can keep it, and why. Without a size there is nothing to choose. */
int engine_quota_choose(struct engine *engine, struct container *c, struct err *e);

/* Are the upper and work folders on a filesystem of their own, so that none of them can be renamed
 * into the store? */
bool engine_quota_is_apart(const struct container *c);

/* The folder that has upper and work: the container's own, or its disk. With make it is new. */
int engine_quota_open(const struct container *c, int folder_fd, bool make, struct err *e);

/* The empty folder, upper or to become it, is counted from now on. */
int engine_quota_begin(const struct container *c, int upper_fd, struct err *e);

/* Removes what the container, which is locked and does not run, does not use: a change of its quota
 * was killed. */
void engine_quota_clear_left(const struct container *c, int folder_fd);

/* The work folder is counted with the upper one; where those two differ, which a kill between two
 * steps leaves, the work folder is made anew. */
int engine_quota_settle(const struct container *c, int folder_fd, struct err *e);

/* The folder is counted, but nothing is refused there any more: it was upper, or goes. */
void engine_quota_forget(const struct container *c, int upper_fd);

struct engine_quota {
	uint64_t limit; /* 0: none */
	uint64_t used;
};

/* *ret zeroed where there is none. Of a disk that is not in use, used is what its file takes: it is
 * not mounted for this. state NULL: it does not run. */
int engine_quota_read(const struct container *c, const struct container_state *state, int folder_fd,
		      struct engine_quota *ret, struct err *e);

/* Another size (0: none) for a container that is locked; *c and its record say so. live: it runs.
 * ERR_STATE with figures: more is there already, or that can be done with one that is stopped
 * alone. One that had none is frozen first, as for a snapshot, and counted from then on. */
int engine_quota_change(struct engine *engine, struct container *c,
			const struct container_state *state, int folder_fd, int64_t bytes,
			struct err *e);
