/* fsck_part.h - the parts of engine_fsck(); for fsck*.c alone. */
#pragma once
#include <stddef.h>

#include "base/strv.h"
#include "engine/fsck.h"

struct engine;
struct err;

/* Of one pass over the store. */
struct fsck_pass {
	size_t mended;
	struct strv left; /* told once no pass follows */
};

struct fsck_run {
	struct engine *engine;
	const struct engine_fsck *check;
	struct fsck_pass *pass;
};

/* Reports. done tells of a repair how it went; its text is said behind the damage: "<damage>:
 * <done>". */
void fsck_say_found(const struct fsck_run *run, const char *damage);
void fsck_say(const struct fsck_run *run, enum engine_fsck_outcome outcome, const char *damage,
	      const char *done);

/* Moves what is at from, below the store's root, to damaged/NAME-SECONDS, and says so; advice: what
 * follows "moved to PATH", or "". The caller holds its lock. */
void fsck_put_aside(const struct fsck_run *run, const char *from, const char *name,
		    const char *damage, const char *advice);

/* All names of a folder of the store but "." and "..", taken before anything in it changes. */
int fsck_list_names(int dir_fd, const char *folder, struct strv *to, struct err *e);

/* fsck_networks.c: the records of networks. */
int fsck_networks(const struct fsck_run *run, struct err *e);

/* fsck_records.c: names, containers, volumes, debris. */
int fsck_containers(const struct fsck_run *run, struct err *e);
int fsck_names(const struct fsck_run *run, struct err *e);
int fsck_volumes(const struct fsck_run *run, struct err *e);
int fsck_debris(const struct fsck_run *run, struct err *e);

/* fsck_images.c: the index, then blobs and layers, then whether each image and each container has
 * all it needs. */
int fsck_images(const struct fsck_run *run, struct err *e);

/* fsck_snapshots.c: the snapshots of containers. */
int fsck_snapshots(const struct fsck_run *run, struct err *e);
