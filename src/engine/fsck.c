#include "engine/fsck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/fsck_part.h"
#include "storage/gc.h"
#include "storage/store.h"

enum { PASSES_MAX = 4 };

void fsck_say_found(const struct fsck_run *run, const char *damage)
{
	run->check->report(run->check->arg, damage, ENGINE_FSCK_FOUND);
}

void fsck_say(const struct fsck_run *run, enum engine_fsck_outcome outcome, const char *damage,
	      const char *done)
{
	own_free char *text = mem_format("%s: %s", damage, done);

	run->pass->mended += outcome == ENGINE_FSCK_MENDED;
	if (outcome == ENGINE_FSCK_LEFT)
		strv_add(&run->pass->left, text);
	else
		run->check->report(run->check->arg, text, outcome);
}

void fsck_put_aside(const struct fsck_run *run, const char *from, const char *name,
		    const char *damage, const char *advice)
{
	const struct store *store = run->engine->store;
	own_free char *to = mem_format("damaged/%s-%lld", name, (long long)time(NULL));

	if ((mkdirat(store->root_fd, "damaged", 0700) < 0 && errno != EEXIST) ||
	    renameat(store->root_fd, from, store->root_fd, to) < 0) {
		fsck_say(run, ENGINE_FSCK_LEFT, damage, strerrordesc_np(errno));
		return;
	}
	own_free char *done = mem_format("moved to %s/%s%s", store->root, to, advice);
	fsck_say(run, ENGINE_FSCK_MENDED, damage, done);
}

int fsck_list_names(int dir_fd, const char *folder, struct strv *to, struct err *e)
{
	int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return err_sys(e, "list %s", folder);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(to, entry->d_name);
	return 0;
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
	struct fsck_pass pass = { 0 };
	const struct fsck_run run = { NULL, check, &pass };
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

static int pass_over(const struct fsck_run *run, struct err *e)
{
	static int (*const parts[])(const struct fsck_run *run, struct err *e) = {
		fsck_containers, fsck_names,  fsck_volumes, fsck_networks,
		fsck_snapshots,  fsck_images, fsck_debris,  collect,
	};
	int r = 0;

	run->pass->mended = 0;
	strv_clear(&run->pass->left);
	for (size_t i = 0; r == 0 && i < COUNT_OF(parts); i++)
		r = parts[i](run, e);
	return r;
}

/* What one pass mended (a blob) may be what another damage (of its layer) is seen by. */
int engine_fsck(struct engine *engine, const struct engine_fsck *check, struct err *e)
{
	struct fsck_pass pass = { 0 };
	const struct fsck_run run = { engine, check, &pass };
	int r = 0;

	own_fd int lock = store_lock_folder(engine->store->root_fd, ".", LOCK_EX, e);
	if (lock < 0)
		return lock;
	for (int i = 0; r == 0 && i < PASSES_MAX && (i == 0 || pass.mended); i++)
		r = pass_over(&run, e);
	for (size_t i = 0; i < pass.left.count; i++)
		check->report(check->arg, pass.left.items[i], ENGINE_FSCK_LEFT);
	strv_clear(&pass.left);
	return r;
}
