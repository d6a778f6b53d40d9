/* A project costs nothing and is taken where it holds: root of the host's user namespace, inside of
 * a container, may give its own files to another project (FS_IOC_FSSETXATTR), so it is for those
 * with a user namespace of their own alone. */
#include "engine/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/quota_disk.h"
#include "storage/quota.h"
#include "storage/store.h"

/* ---- which way ---- */

static int refuse_kind(const struct container *c, struct err *e)
{
	const char *why = c->image.in_place   ? "what it writes goes into a folder of the host"
			  : c->storage.upper  ? "it is a step of a build"
			  : c->storage.copied ? "its root is a copy of its image"
			  : c->storage.read_only && !c->storage.immutable ? "its root is read-only"
									  : NULL;

	return why ? err_set(e, ERR_UNSUPPORTED, "there is no quota for it: %s", why) : 0;
}

static int refuse_user(struct err *e)
{
	if (!user_ids_are_mapped())
		return 0;
	err_set(e, ERR_UNSUPPORTED, "the kernel sets quotas and mounts disks for root alone");
	return err_hint(e,
			"a tmpfs has a size for everybody: --tmpfs /data:size=1g; root's holm, or "
			"--root DIR on a filesystem of that size, limits the rest");
}

/* What nothing here could ever hold is no limit. */
static int check_size(struct engine *engine, int64_t bytes, struct err *e)
{
	struct statvfs fs;
	char asked[16], there[16];

	if (fstatvfs(engine->store->root_fd, &fs) < 0)
		return err_sys(e, "look at the filesystem of %s", engine->store->root);
	uint64_t all = (uint64_t)fs.f_blocks * fs.f_frsize;
	number_format_binary(asked, (uint64_t)bytes);
	number_format_binary(there, all);
	if ((uint64_t)bytes > all)
		return err_set(e, ERR_NO_SPACE, "a quota of %s: the filesystem of %s has %s in all",
			       asked, engine->store->root, there);
	return 0;
}

static int choose_disk(struct container *c, struct err *e)
{
	char asked[16];

	int r = quota_disk_check(e);
	number_format_binary(asked, (uint64_t)c->storage.size);
	if (r == 0 && c->storage.size < QUOTA_DISK_MIN)
		r = err_set(e, ERR_INVALID, "a disk of %s: it takes 4MiB at least", asked);
	if (r == 0)
		c->storage.quota = mem_text(ENGINE_QUOTA_IMAGE);
	return r;
}

int engine_quota_choose(struct engine *engine, struct container *c, struct err *e)
{
	mem_replace(&c->storage.quota, NULL);
	if (!c->storage.size)
		return 0;
	int r = refuse_kind(c, e);
	if (r == 0)
		r = refuse_user(e);
	if (r == 0)
		r = check_size(engine, c->storage.size, e);
	if (r == 0 && c->security.ids.uids.count && storage_quota_works(engine->containers_fd))
		c->storage.quota = mem_text(ENGINE_QUOTA_PROJECT);
	else if (r == 0)
		r = choose_disk(c, e);
	return r < 0 ? err_add(e, "size") : 0;
}

bool engine_quota_is_apart(const struct container *c)
{
	return str_equal(c->storage.quota, ENGINE_QUOTA_IMAGE);
}

static bool is_project(const struct container *c)
{
	return str_equal(c->storage.quota, ENGINE_QUOTA_PROJECT);
}

/* ---- its folders ---- */

int engine_quota_open(const struct container *c, int folder_fd, bool make, struct err *e)
{
	if (engine_quota_is_apart(c))
		return make ? quota_disk_make(folder_fd, (uint64_t)c->storage.size, e)
			    : quota_disk_open(folder_fd, e);
	int fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "open the container's folder") : fd;
}

int engine_quota_begin(const struct container *c, int upper_fd, struct err *e)
{
	return is_project(c) ? storage_quota_begin(upper_fd, (uint64_t)c->storage.size, e) : 0;
}

static int open_part(int folder_fd, const char *name, struct err *e)
{
	int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open the container's folder %s", name) : fd;
}

void engine_quota_clear_left(const struct container *c, int folder_fd)
{
	struct err ignored;

	unlinkat(folder_fd, QUOTA_DISK_NEW, 0);
	if (!engine_quota_is_apart(c)) {
		unlinkat(folder_fd, QUOTA_DISK_FILE, 0);
		return;
	}
	fd_remove_tree_at(folder_fd, "upper", &ignored);
	fd_remove_tree_at(folder_fd, "work", &ignored);
}

int engine_quota_settle(const struct container *c, int folder_fd, struct err *e)
{
	if (!is_project(c))
		return 0;
	own_fd int upper = open_part(folder_fd, "upper", e);
	if (upper < 0)
		return upper;
	own_fd int old = open_part(folder_fd, "work", e);
	if (old >= 0 && storage_quota_same(upper, old))
		return 0;
	int r = old < 0 && e->number != ENOENT ? old : fd_remove_tree_at(folder_fd, "work", e);
	if (r == 0 && mkdirat(folder_fd, "work", 0700) < 0)
		r = err_sys(e, "make the container's work folder");
	if (r < 0)
		return r;
	own_fd int work = open_part(folder_fd, "work", e);
	return work < 0 ? work : storage_quota_follow(work, upper, e);
}

void engine_quota_forget(const struct container *c, int upper_fd)
{
	if (is_project(c) && upper_fd >= 0)
		storage_quota_forget(upper_fd);
}

/* ---- what it has written ---- */

static int read_mounted(pid_t pid, uint64_t *ret, struct err *e)
{
	own_free char *path = mem_format("/proc/%d/root", (int)pid);
	struct statvfs fs;

	own_fd int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstatvfs(root, &fs) < 0)
		return err_sys(e, "look at the container's root");
	*ret = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	return 0;
}

static int read_file(int folder_fd, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (fstatat(folder_fd, QUOTA_DISK_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at the container's disk");
	*ret = (uint64_t)st.st_blocks * 512;
	return 0;
}

int engine_quota_read(const struct container *c, const struct container_state *state, int folder_fd,
		      struct engine_quota *ret, struct err *e)
{
	struct storage_quota counted = { 0 };
	uint64_t used = 0;
	int r;

	*ret = (struct engine_quota){ 0 };
	if (!c->storage.size)
		return 0;
	if (is_project(c)) {
		own_fd int upper = open_part(folder_fd, "upper", e);
		r = upper < 0 ? upper : storage_quota_read(&counted, upper, e);
		used = counted.used;
	} else if (state && container_state_live(state) && state->pid > 0) {
		r = read_mounted(state->pid, &used, e);
	} else {
		r = read_file(folder_fd, &used, e);
	}
	if (r == 0)
		*ret = (struct engine_quota){ (uint64_t)c->storage.size, used };
	return r;
}
