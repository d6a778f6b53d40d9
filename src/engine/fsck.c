#include "engine/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/fsck_part.h"
#include "storage/gc.h"
#include "storage/store.h"

void fsck_say_found(const struct fsck_run *run, const char *damage)
{
	run->check->report(run->check->arg, damage, ENGINE_FSCK_FOUND);
}

void fsck_say(const struct fsck_run *run, enum engine_fsck_outcome outcome, const char *damage,
	      const char *done)
{
	own_free char *text = mem_format("%s: %s", damage, done);

	run->check->report(run->check->arg, text, outcome);
}

int engine_fsck_folders(const struct store *store, const struct engine_fsck *check, struct err *e)
{
	static const char *const parts[] = {
		"images",
		"images/blobs/sha256",
		"images/oci-layout",
		"partial",
		"layers",
		"containers",
		"names",
		"volumes",
	};
	const struct fsck_run run = { NULL, check };
	bool missing = false;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (faccessat(store->root_fd, parts[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		missing = true;
		own_free char *damage = mem_format("%s/%s is missing", store->root, parts[i]);
		if (check->repair)
			fsck_say(&run, ENGINE_FSCK_MENDED, damage, "made again");
		else
			fsck_say_found(&run, damage);
	}
	return missing && check->repair ? store_make_folders(store, e) : 0;
}

/* What was taken away leaves blobs and layers that nothing names. */
static int collect(const struct fsck_run *run, struct err *e)
{
	struct gc_result result;

	return run->check->repair ? storage_gc(run->engine->store, false, false, &result, e) : 0;
}

int engine_fsck(struct engine *engine, const struct engine_fsck *check, struct err *e)
{
	static int (*const parts[])(const struct fsck_run *run, struct err *e) = {
		fsck_containers, fsck_names, fsck_volumes, fsck_images, fsck_debris, collect,
	};
	const struct fsck_run run = { engine, check };

	own_fd int lock = store_lock_folder(engine->store->root_fd, ".", LOCK_EX, e);
	if (lock < 0)
		return lock;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		int r = parts[i](&run, e);
		if (r < 0)
			return r;
	}
	return 0;
}
