#include "storage/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"

enum { SEEN_FIRST = 64 };

/* ---- files with several links ---- */

void tree_seen_clear(struct tree_seen *seen)
{
	free(seen->items);
	*seen = (struct tree_seen){ 0 };
}

/* The place of this inode, or the free one where it belongs. */
static struct tree_inode *place_of(const struct tree_seen *seen, dev_t device, ino_t inode)
{
	size_t at = (size_t)((inode ^ (device << 7)) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; at++) {
		struct tree_inode *item = &seen->items[at & (seen->capacity - 1)];
		if (!item->inode || (item->inode == inode && item->device == device))
			return item;
	}
}

static void grow(struct tree_seen *seen)
{
	struct tree_seen bigger = { .capacity = seen->capacity ? seen->capacity * 2 : SEEN_FIRST };

	bigger.items = mem_new(bigger.capacity, sizeof(*bigger.items));
	bigger.count = seen->count;
	for (size_t i = 0; i < seen->capacity; i++)
		if (seen->items[i].inode)
			*place_of(&bigger, seen->items[i].device, seen->items[i].inode) =
				seen->items[i];
	free(seen->items);
	*seen = bigger;
}

/* Was it there already? */
static bool add_seen(struct tree_seen *seen, const struct stat *st)
{
	if (seen->count * 2 >= seen->capacity)
		grow(seen);
	struct tree_inode *item = place_of(seen, st->st_dev, st->st_ino);
	if (item->inode)
		return true;
	*item = (struct tree_inode){ st->st_dev, st->st_ino };
	seen->count++;
	return false;
}

/* ---- the walk ---- */

struct walk {
	struct tree_seen *seen;
	dev_t device;
	uint64_t bytes;
};

static int walk_folder(struct walk *walk, int fd, unsigned depth);

/* A name of a folder, seen without following it. */
static int visit(struct walk *walk, int dir_fd, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != walk->device)
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && add_seen(walk->seen, &st))
		return 0;
	walk->bytes += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode))
		return 0;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return walk_folder(walk, fd, depth + 1);
}

/* Closes fd. */
static int walk_folder(struct walk *walk, int fd, unsigned depth)
{
	own_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		int number = errno;
		close(fd);
		return -number;
	}
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = visit(walk, dirfd(dir), entry->d_name, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

static int finish(const struct walk *walk, int r, uint64_t *sum, struct err *e)
{
	if (r == -ELOOP)
		return err_set(e, ERR_CORRUPT, "more than %d folders deep", TREE_DEPTH_MAX);
	if (r < 0)
		return err_number(e, -r, "measure a folder");
	*sum += walk->bytes;
	return 0;
}

int storage_tree_add(struct tree_seen *seen, int folder_fd, uint64_t *sum, struct err *e)
{
	struct stat st;

	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open folder");
	struct walk walk = { seen, st.st_dev, (uint64_t)st.st_blocks * 512 };
	int r = walk_folder(&walk, fd, 0);
	return finish(&walk, r, sum, e);
}

int storage_tree_add_at(struct tree_seen *seen, int dir_fd, const char *name, uint64_t *sum,
			struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at %s", name);
	struct walk walk = { .seen = seen, .device = st.st_dev };
	int r = visit(&walk, dir_fd, name, 0);
	return finish(&walk, r, sum, e);
}

int storage_tree_size(int folder_fd, uint64_t *ret, struct err *e)
{
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };
	uint64_t bytes = 0;

	int r = storage_tree_add(&seen, folder_fd, &bytes, e);
	if (r == 0)
		*ret = bytes;
	return r;
}
