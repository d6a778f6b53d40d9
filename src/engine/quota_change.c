/* Another quota for a container that has one, or for one that had none: that is frozen first, so
 * that its new upper folder is empty and can be anywhere. The record says what is true after each
 * step that cannot be taken back. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/quota.h"
#include "engine/quota_disk.h"
#include "engine/record.h"
#include "storage/quota.h"
#include "storage/store.h"

struct change {
	struct engine *engine;
	struct container *c;
	const struct container_state *state;
	int folder_fd;
	int64_t bytes;
};

static int refuse_live(const struct change *change, const char *what, struct err *e)
{
	err_set(e, ERR_STATE, "%s while container %s runs", what, change->c->name);
	return err_hint(e, "holm stop %s", change->c->name);
}

static int commit(const struct change *change, struct err *e)
{
	change->c->storage.size = change->bytes;
	return record_commit(change->folder_fd, change->c, e);
}

/* ---- from none, or to none ---- */

/* Elsewhere: those of one that was killed here hold nothing. */
static int make_folders(const struct change *change, struct err *e)
{
	int r = 0;

	if (!engine_quota_is_apart(change->c)) {
		r = fd_remove_tree_at(change->folder_fd, "upper", e);
		if (r == 0)
			r = fd_remove_tree_at(change->folder_fd, "work", e);
	}
	if (r < 0)
		return r;
	own_fd int upper =
		engine_freeze_make_folders(change->engine, change->c, change->folder_fd, e);
	return upper < 0 ? upper : 0;
}

/* In the same place: a start makes a work folder that is missing, but no upper one. */
static int renew_folders(const struct change *change, struct err *e)
{
	int r = fd_remove_tree_at(change->folder_fd, "work", e);

	if (r == 0)
		r = engine_freeze_renew_upper(change->engine, change->c, change->folder_fd, e);
	if (r == 0 && mkdirat(change->folder_fd, "work", 0700) < 0 && errno != EEXIST)
		r = err_sys(e, "make the container's work folder");
	return r;
}

/* All that it wrote is in frozen layers by now. */
static int move(const struct change *change, struct err *e)
{
	struct container *c = change->c;
	bool apart = engine_quota_is_apart(c);

	c->storage.size = change->bytes;
	int r = engine_quota_choose(change->engine, c, e);
	if (r < 0)
		return r;
	r = apart || engine_quota_is_apart(c) ? make_folders(change, e) : renew_folders(change, e);
	fault_point("quota.moved");
	if (r == 0)
		r = commit(change, e);
	if (r == 0)
		engine_quota_clear_left(c, change->folder_fd);
	return r;
}

static int begin_or_end(const struct change *change, struct err *e)
{
	struct container asked = *change->c;

	if (container_state_live(change->state))
		return refuse_live(
			change, change->bytes ? "a quota does not begin" : "a quota does not end",
			e);
	/* nothing is frozen for what is refused */
	asked.storage.size = change->bytes;
	asked.storage.quota = NULL;
	int r = engine_quota_choose(change->engine, &asked, e);
	own_free char *way = asked.storage.quota;
	if (r < 0)
		return r;
	own_fd int layers = store_lock_layers_shared(change->engine->store, e);
	if (layers < 0)
		return layers;
	r = engine_freeze_still(change->engine, change->c, change->folder_fd, e);
	return r < 0 ? r : move(change, e);
}

/* ---- from one to another ---- */

static int too_much(const struct change *change, uint64_t used, struct err *e)
{
	char is[16], asked[16];

	number_format_binary(is, used);
	number_format_binary(asked, (uint64_t)change->bytes);
	return err_set(e, ERR_STATE, "container %s has written %s, a quota of %s does not hold it",
		       change->c->name, is, asked);
}

static int change_project(const struct change *change, struct err *e)
{
	struct engine_quota now;

	int r = engine_quota_read(change->c, change->state, change->folder_fd, &now, e);
	if (r < 0)
		return r;
	if (now.used > (uint64_t)change->bytes)
		return too_much(change, now.used, e);
	own_fd int upper =
		openat(change->folder_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0)
		return err_sys(e, "open the container's upper folder");
	r = storage_quota_limit(upper, (uint64_t)change->bytes, e);
	return r < 0 ? r : commit(change, e);
}

/* What is in it, and a part of the size for what a filesystem needs itself. */
static int check_fits(const struct change *change, struct err *e)
{
	struct statvfs fs;

	if (change->bytes < QUOTA_DISK_MIN)
		return err_set(e, ERR_INVALID, "a disk of its own takes 4MiB at least");
	own_fd int disk = quota_disk_open(change->folder_fd, e);
	own_fd int root = disk < 0 ? -1 : openat(disk, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstatvfs(root, &fs) < 0)
		return disk < 0 ? disk : err_sys(e, "look at the container's disk");
	uint64_t used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	return used > (uint64_t)change->bytes ? too_much(change, used, e) : 0;
}

static int change_disk(const struct change *change, struct err *e)
{
	bool live = container_state_live(change->state), grown = false;
	int r = 0;

	if (change->bytes > change->c->storage.size)
		r = quota_disk_grow(&grown, change->folder_fd, (uint64_t)change->bytes, e);
	else if (live)
		return refuse_live(change, "its disk becomes no smaller", e);
	if (r == 0 && !grown && live) {
		err_set(e, ERR_STATE,
			"its disk becomes larger while container %s runs only by CAP_SYS_RESOURCE",
			change->c->name);
		return err_hint(e, "holm stop %s", change->c->name);
	}
	if (r == 0 && !grown)
		r = check_fits(change, e);
	if (r == 0 && !grown)
		r = quota_disk_renew(change->folder_fd, (uint64_t)change->bytes, e);
	return r < 0 ? r : commit(change, e);
}

int engine_quota_change(struct engine *engine, struct container *c,
			const struct container_state *state, int folder_fd, int64_t bytes,
			struct err *e)
{
	const struct change change = { engine, c, state, folder_fd, bytes };
	struct container asked = *c;

	if (bytes == c->storage.size)
		return 0;
	if (!bytes || !c->storage.size)
		return begin_or_end(&change, e);
	/* the same questions as for a new one; what it says is not kept */
	asked.storage.size = bytes;
	asked.storage.quota = NULL;
	int r = engine_quota_choose(engine, &asked, e);
	own_free char *way = asked.storage.quota;
	if (r < 0)
		return r;
	return str_equal(c->storage.quota, ENGINE_QUOTA_IMAGE) ? change_disk(&change, e)
							       : change_project(&change, e);
}
