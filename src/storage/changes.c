#include "storage/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/strv.h"
#include "oci/whiteout.h"

enum { DEPTH_MAX = 400 /* two descriptors each */ };

struct search {
	struct storage_changes *found;
	const struct storage_changes_options *options;
	bool by_names; /* whiteouts of the new tree are */
	unsigned depth;
};

/* One folder on both sides; a side that it is not on is -1. */
struct sides {
	int old_fd, new_fd;
	bool whole; /* what is not in new is gone */
	const char *path;
};

void storage_changes_clear(struct storage_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->items[i].path);
	free(changes->items);
	*changes = (struct storage_changes){ 0 };
}

static void add(struct search *search, enum storage_change_kind kind, const char *path)
{
	struct storage_changes *to = search->found;

	to->items = shape_list_grow(to->items, to->count, sizeof(*to->items));
	to->items[to->count++] = (struct storage_change){ kind, mem_text(path) };
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* by_names: of what a name hides that one. */
static int add_names(struct strv *to, int fd, bool by_names, struct err *e)
{
	int reading = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);

	if (fd < 0)
		return 0;
	if (!dir)
		return err_sys(e, "read a folder");
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *hidden = by_names ? oci_whiteout_hidden(entry->d_name) : NULL;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(to, hidden ? hidden : entry->d_name);
	}
	return 0;
}

/* Of both sides, where a name that is missing means something; sorted. */
static int read_names(struct strv *to, const struct search *search, const struct sides *sides,
		      struct err *e)
{
	int r = add_names(to, sides->new_fd, search->by_names, e);

	if (r == 0 && sides->whole)
		r = add_names(to, sides->old_fd, false, e);
	if (r == 0 && to->count)
		qsort(to->items, to->count, sizeof(*to->items), by_name);
	return r;
}

static bool is_left_out(const struct search *search, const char *path)
{
	for (const char *const *name = search->options->left_out; name && *name; name++)
		if (strcmp(*name, path + 1) == 0)
			return true;
	return false;
}

/* ---- one name ---- */

static bool look(int dir_fd, const char *name, struct stat *st)
{
	*st = (struct stat){ 0 };
	return dir_fd >= 0 && fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_whiteout(const struct search *search, const struct stat *st)
{
	return search->options->upper && oci_whiteout_is_device(st);
}

static bool is_opaque(const struct search *search, int fd)
{
	return search->options->upper && oci_whiteout_is_opaque(fd, search->by_names);
}

static bool differs(const struct stat *old, const struct stat *new)
{
	if (old->st_mode != new->st_mode || old->st_uid != new->st_uid ||
	    old->st_gid != new->st_gid || old->st_rdev != new->st_rdev)
		return true;
	return !S_ISDIR(old->st_mode) &&
	       (old->st_size != new->st_size || old->st_mtim.tv_sec != new->st_mtim.tv_sec ||
		old->st_mtim.tv_nsec != new->st_mtim.tv_nsec);
}

static int search_folder(struct search *search, const struct sides *sides, struct err *e);

static int open_folder(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A folder on the new side; was_folder: on the old one, too. */
static int search_below(struct search *search, const struct sides *above, const char *name,
			const char *path, bool was_folder, struct err *e)
{
	if (search->depth >= DEPTH_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d folders deep", DEPTH_MAX);
	own_fd int new_fd = open_folder(above->new_fd, name);
	if (new_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	own_fd int old_fd = was_folder ? open_folder(above->old_fd, name) : -1;
	if (was_folder && old_fd < 0)
		return err_sys(e, "open %s", path);
	const struct sides sides = {
		.old_fd = old_fd,
		.new_fd = new_fd,
		.whole = !search->options->upper || is_opaque(search, new_fd),
		.path = path,
	};
	search->depth++;
	int r = search_folder(search, &sides, e);
	search->depth--;
	return r;
}

/* Something that was there before and still is; a folder that only led to changes counts. */
static int search_kept(struct search *search, const struct sides *sides, const char *name,
		       const char *path, const struct stat *old, const struct stat *new,
		       struct err *e)
{
	size_t before = search->found->count;
	int r = 0;

	add(search, STORAGE_CHANGED, path);
	if (S_ISDIR(new->st_mode))
		r = search_below(search, sides, name, path, S_ISDIR(old->st_mode), e);
	if (r == 0 && search->found->count == before + 1 && !differs(old, new))
		free(search->found->items[--search->found->count].path);
	return r;
}

static int search_name(struct search *search, const struct sides *sides, const char *name,
		       const char *path, struct err *e)
{
	struct stat old, new;

	bool was = look(sides->old_fd, name, &old);
	bool is = look(sides->new_fd, name, &new) && !is_whiteout(search, &new);
	if (was && is)
		return search_kept(search, sides, name, path, &old, &new, e);
	if (was)
		add(search, STORAGE_DELETED, path);
	if (is)
		add(search, STORAGE_ADDED, path);
	return is && S_ISDIR(new.st_mode) ? search_below(search, sides, name, path, false, e) : 0;
}

static int search_folder(struct search *search, const struct sides *sides, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	int r = read_names(&names, search, sides, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (i > 0 && strcmp(names.items[i], names.items[i - 1]) == 0)
			continue;
		own_free char *path = mem_format("%s/%s", sides->path, names.items[i]);
		if (!is_left_out(search, path))
			r = search_name(search, sides, names.items[i], path, e);
	}
	return r;
}

int storage_changes_find(struct storage_changes *ret, int old_fd, int new_fd,
			 const struct storage_changes_options *options, struct err *e)
{
	struct search search = {
		.found = ret,
		.options = options,
		.by_names = options->upper && oci_whiteout_is_by_names(new_fd),
	};
	const struct sides sides = { old_fd, new_fd, !options->upper, "" };

	return search_folder(&search, &sides, e);
}
