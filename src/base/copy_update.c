#include "base/copy_update.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"

enum {
	PAIRS_FIRST = 1024,
	/* change times have the kernel's tick, at most 10 ms; and a little more */
	MARGIN_NS = 100000000,
	CLOCK_NS = 50000000,
	FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

void copy_update_clear(struct copy_update *update)
{
	free(update->pairs);
	*update = (struct copy_update){ 0 };
}

bool copy_update_works(int from_fd)
{
	struct statfs fs;

	return fstatfs(from_fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
}

/* ---- which copy is of which file ---- */

static struct copy_pair_of_inodes *place_of(const struct copy_update *update, uint64_t copy)
{
	size_t at = (size_t)(copy * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; at++) {
		struct copy_pair_of_inodes *pair = &update->pairs[at & (update->capacity - 1)];
		if (!pair->copy || pair->copy == copy)
			return pair;
	}
}

static void grow(struct copy_update *update)
{
	struct copy_update bigger = {
		.capacity = update->capacity ? update->capacity * 2 : PAIRS_FIRST,
	};

	bigger.pairs = mem_new(bigger.capacity, sizeof(*bigger.pairs));
	for (size_t i = 0; i < update->capacity; i++)
		if (update->pairs[i].copy)
			*place_of(&bigger, update->pairs[i].copy) = update->pairs[i];
	free(update->pairs);
	update->pairs = bigger.pairs;
	update->capacity = bigger.capacity;
}

static void remember(void *context, const struct stat *original, int to_dir, const char *to)
{
	struct copy_update *update = context;
	struct stat copy;

	if (fstatat(to_dir, to, &copy, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* then it is copied again */
	if (update->count * 2 >= update->capacity)
		grow(update);
	struct copy_pair_of_inodes *pair = place_of(update, copy.st_ino);
	update->count += !pair->copy;
	*pair = (struct copy_pair_of_inodes){ copy.st_ino, original->st_ino };
}

static bool is_copy_of(const struct copy_update *update, const struct stat *copy,
		       const struct stat *original)
{
	return update->capacity && (copy->st_mode & S_IFMT) == (original->st_mode & S_IFMT) &&
	       place_of(update, copy->st_ino)->original == original->st_ino;
}

/* ---- the passes ---- */

static int64_t clock_offset_ns(void)
{
	return moment_now_ns() - moment_monotonic_ns();
}

int copy_update_begin(struct copy_update *update, int from_fd, int to_fd, struct err *e)
{
	struct copy_options first = update->options;

	update->began_ns = moment_now_ns();
	update->offset_ns = clock_offset_ns();
	first.settle = true;
	first.done = remember;
	first.done_context = update;
	return copy_tree_contents(from_fd, to_fd, true, &first, e);
}

struct walk {
	const struct copy_update *update;
	unsigned depth;
	bool unsure;
};

static bool is_old(const struct walk *walk, const struct stat *st)
{
	int64_t changed_ns = st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec;

	return changed_ns < walk->update->began_ns - MARGIN_NS;
}

static int update_folder(struct walk *walk, int from_fd, int to_fd, struct err *e);

static int update_below(struct walk *walk, int from_dir, int to_dir, const char *name, bool old,
			struct err *e)
{
	own_fd int from = openat(from_dir, name, FOLDER_FLAGS);
	own_fd int to = from < 0 ? -1 : openat(to_dir, name, FOLDER_FLAGS);

	if (to < 0)
		return err_sys(e, "open %s", name);
	int r = update_folder(walk, from, to, e);
	return r < 0 || old ? r : copy_attributes_of(from, to, &walk->update->options, e);
}

static bool has_copy(const struct walk *walk, const struct stat *original, int to_dir,
		     const char *name)
{
	struct stat copy;

	return fstatat(to_dir, name, &copy, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is_copy_of(walk->update, &copy, original);
}

/* settled: the folder has the names that it had at the first pass, for the same files. */
static int update_entry(struct walk *walk, int from_dir, int to_dir, const char *name, bool settled,
			struct err *e)
{
	struct stat original;

	if (fstatat(from_dir, name, &original, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at %s", name);
	bool same = settled || has_copy(walk, &original, to_dir, name);
	bool old = is_old(walk, &original);
	if (same && S_ISDIR(original.st_mode))
		return update_below(walk, from_dir, to_dir, name, old, e);
	if (same && old)
		return 0;
	/* its other names may be anywhere */
	if (!S_ISDIR(original.st_mode) && original.st_nlink > 1) {
		walk->unsure = true;
		return 0;
	}
	int r = fd_remove_tree_at(to_dir, name, e);
	return r < 0 ? r : copy_tree_at(from_dir, name, to_dir, name, &walk->update->options, e);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_list(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopendir(fd);
}

/* What the original has no more. */
static int remove_gone(int from_fd, int to_fd, struct err *e)
{
	own_dir DIR *dir = open_list(to_fd);
	int r = 0;

	if (!dir)
		return err_sys(e, "read the copy");
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (!is_dots(entry->d_name) &&
		    faccessat(from_fd, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			r = fd_remove_tree_at(to_fd, entry->d_name, e);
	return r;
}

static int update_folder(struct walk *walk, int from_fd, int to_fd, struct err *e)
{
	struct stat folder;

	if (++walk->depth > COPY_DEPTH_MAX / 2)
		return err_set(e, ERR_UNSUPPORTED, "more than %d folders deep", COPY_DEPTH_MAX / 2);
	if (fstat(from_fd, &folder) < 0)
		return err_sys(e, "look at a folder");
	bool settled = is_old(walk, &folder);
	int r = settled ? 0 : remove_gone(from_fd, to_fd, e);
	own_dir DIR *dir = open_list(from_fd);

	if (r == 0 && !dir)
		r = err_sys(e, "read a folder");
	for (struct dirent *entry; r == 0 && !walk->unsure && (entry = readdir(dir));)
		if (!is_dots(entry->d_name))
			r = update_entry(walk, from_fd, to_fd, entry->d_name, settled, e);
	walk->depth--;
	return r;
}

int copy_update_finish(struct copy_update *update, int from_fd, int to_fd, struct err *e)
{
	struct walk walk = { .update = update };
	int64_t moved_ns = clock_offset_ns() - update->offset_ns;

	if (moved_ns > CLOCK_NS || moved_ns < -CLOCK_NS)
		return 1;
	int r = update_folder(&walk, from_fd, to_fd, e);
	if (r == 0 && !walk.unsure)
		r = copy_attributes_of(from_fd, to_fd, &update->options, e);
	return r < 0 ? r : walk.unsure;
}
