#include "storage/compare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "storage/unpack.h"

enum { STEP = 256 << 10, XATTR_NAMES_MAX = 65536, XATTR_VALUE_MAX = 65536 };

struct compare {
	struct str path;
	struct str *where;
	char *buffers[2];
	unsigned depth;
};

static int differs(struct compare *c, const char *how)
{
	str_addf(c->where, "%s: %s", c->path.length ? c->path.text : "/", how);
	return 1;
}

/* ---- one file ---- */

static ssize_t read_whole(int fd, char *to)
{
	size_t length = 0;

	while (length < STEP) {
		ssize_t n = read(fd, to + length, STEP - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

/* A file that the disk cannot read any more is as bad as one with other bytes. */
static int compare_bytes(struct compare *c, int expected, int found, struct err *e)
{
	for (;;) {
		ssize_t n = read_whole(expected, c->buffers[0]);
		if (n < 0)
			return err_number(e, (int)-n, "read what was unpacked");
		ssize_t m = read_whole(found, c->buffers[1]);
		if (m < 0)
			return differs(c, strerrordesc_np((int)-m));
		if (n != m || memcmp(c->buffers[0], c->buffers[1], (size_t)n) != 0)
			return differs(c, "other bytes");
		if (n == 0)
			return 0;
	}
}

static bool has_attribute(int fd, const char *name, const char *value, ssize_t size)
{
	own_free char *other = mem_new(1, XATTR_VALUE_MAX);

	return fgetxattr(fd, name, other, XATTR_VALUE_MAX) == size &&
	       memcmp(value, other, (size_t)size) == 0;
}

/* A label is the host's, not the layer's; and what overlayfs noted about a folder that was once an
 * upper one (trusted.overlay.origin, impure, uuid) is no part of what was packed of it. */
static bool counts(const char *name)
{
	bool noted = str_starts(name, "trusted.overlay.") || str_starts(name, "user.overlay.");

	return !str_equal(name, "security.selinux") && (!noted || str_ends(name, ".opaque"));
}

/* Has found all that expected has? */
static bool has_attributes(int expected, int found)
{
	own_free char *names = mem_new(1, XATTR_NAMES_MAX);
	own_free char *value = mem_new(1, XATTR_VALUE_MAX);
	ssize_t length = flistxattr(expected, names, XATTR_NAMES_MAX);

	for (const char *name = names; length > 0 && name < names + length;
	     name += strlen(name) + 1) {
		if (!counts(name))
			continue;
		ssize_t size = fgetxattr(expected, name, value, XATTR_VALUE_MAX);
		if (size >= 0 && !has_attribute(found, name, value, size))
			return false;
	}
	return true;
}

static int compare_attributes(struct compare *c, int expected, int found)
{
	return has_attributes(expected, found) && has_attributes(found, expected)
		       ? 0
		       : differs(c, "other attributes");
}

static int compare_file(struct compare *c, int expected_dir, int found_dir, const char *name,
			struct err *e)
{
	enum { FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };
	own_fd int expected = openat(expected_dir, name, FLAGS);
	own_fd int found = openat(found_dir, name, FLAGS);

	if (expected < 0)
		return err_sys(e, "open what was unpacked");
	if (found < 0)
		return differs(c, strerrordesc_np(errno));
	int r = compare_attributes(c, expected, found);
	return r ? r : compare_bytes(c, expected, found, e);
}

static int compare_link(struct compare *c, int expected_dir, int found_dir, const char *name)
{
	char expected[PATH_MAX], found[PATH_MAX];
	ssize_t n = readlinkat(expected_dir, name, expected, sizeof(expected));
	ssize_t m = readlinkat(found_dir, name, found, sizeof(found));

	return n >= 0 && n == m && memcmp(expected, found, (size_t)n) == 0
		       ? 0
		       : differs(c, "leads elsewhere");
}

static int compare_stat(struct compare *c, const struct stat *a, const struct stat *b)
{
	bool folder = S_ISDIR(a->st_mode);

	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		return differs(c, "of another type");
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return differs(c, "another owner");
	if (a->st_mode != b->st_mode)
		return differs(c, "another mode");
	if (a->st_rdev != b->st_rdev)
		return differs(c, "another device");
	if (!folder && a->st_size != b->st_size)
		return differs(c, "another size");
	/* whiteouts of one layer may be links of each other: overlayfs counts none of it. Another
	 * layer, of several as one, may have the file, too */
	if (S_ISREG(a->st_mode) && b->st_nlink < a->st_nlink)
		return differs(c, "another number of links");
	if (S_ISREG(a->st_mode) &&
	    (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec))
		return differs(c, "another time");
	return 0;
}

/* ---- folders ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int fd, struct strv *to)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(to, entry->d_name);
	if (to->count)
		qsort(to->items, to->count, sizeof(*to->items), by_text);
	return 0;
}

static int compare_folder(struct compare *c, int expected_fd, int found_fd, struct err *e);

static int compare_below(struct compare *c, int expected_dir, int found_dir, const char *name,
			 struct err *e)
{
	enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	own_fd int expected = openat(expected_dir, name, FLAGS);
	own_fd int found = openat(found_dir, name, FLAGS);

	if (expected < 0)
		return err_sys(e, "open what was unpacked");
	if (found < 0)
		return differs(c, strerrordesc_np(errno));
	int r = compare_attributes(c, expected, found);
	return r ? r : compare_folder(c, expected, found, e);
}

static int compare_entry(struct compare *c, int expected_dir, int found_dir, const char *name,
			 struct err *e)
{
	struct stat a, b;

	if (fstatat(expected_dir, name, &a, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at what was unpacked");
	if (fstatat(found_dir, name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return differs(c, strerrordesc_np(errno));
	int r = compare_stat(c, &a, &b);
	if (r)
		return r;
	if (S_ISDIR(a.st_mode))
		return compare_below(c, expected_dir, found_dir, name, e);
	if (S_ISREG(a.st_mode))
		return compare_file(c, expected_dir, found_dir, name, e);
	return S_ISLNK(a.st_mode) ? compare_link(c, expected_dir, found_dir, name) : 0;
}

/* Puts name behind the path, and takes it away again unless it has been told of. */
static int compare_named(struct compare *c, int expected_fd, int found_fd, const char *name,
			 struct err *e)
{
	size_t length = c->path.length;

	str_addf(&c->path, "%s%s", length ? "/" : "", name);
	int r = compare_entry(c, expected_fd, found_fd, name, e);
	c->path.length = length;
	if (c->path.text)
		c->path.text[length] = '\0';
	return r;
}

/* Returns the first name that is in one list alone, or NULL. */
static const char *odd_name(const struct strv *a, const struct strv *b, const char **how)
{
	for (size_t i = 0; i < a->count || i < b->count; i++) {
		int order = i >= a->count   ? 1
			    : i >= b->count ? -1
					    : strcmp(a->items[i], b->items[i]);
		*how = order < 0 ? "missing" : "not of the image";
		if (order)
			return order < 0 ? a->items[i] : b->items[i];
	}
	return NULL;
}

static int compare_folder(struct compare *c, int expected_fd, int found_fd, struct err *e)
{
	own_clear(strv_clear) struct strv expected = { 0 }, found = { 0 };
	const char *how;

	if (++c->depth > UNPACK_DEPTH_MAX + 1)
		return err_set(e, ERR_CORRUPT, "more than %d folders deep", UNPACK_DEPTH_MAX);
	int r = read_names(expected_fd, &expected);
	if (r < 0)
		return err_number(e, -r, "list what was unpacked");
	if (read_names(found_fd, &found) < 0)
		return differs(c, "cannot be listed");
	const char *odd = odd_name(&expected, &found, &how);
	if (odd) {
		str_addf(&c->path, "%s%s", c->path.length ? "/" : "", odd);
		return differs(c, how);
	}
	for (size_t i = 0; r == 0 && i < expected.count; i++)
		r = compare_named(c, expected_fd, found_fd, expected.items[i], e);
	c->depth--;
	return r;
}

int storage_compare(int expected_fd, int found_fd, struct str *where, struct err *e)
{
	own_free char *first = mem_new(1, STEP);
	own_free char *second = mem_new(1, STEP);
	struct compare c = { .where = where, .buffers = { first, second } };
	struct stat a, b;

	if (fstat(expected_fd, &a) < 0 || fstat(found_fd, &b) < 0)
		return err_sys(e, "look at a layer");
	int r = compare_stat(&c, &a, &b);
	if (r == 0)
		r = compare_folder(&c, expected_fd, found_fd, e);
	str_clear(&c.path);
	return r;
}
