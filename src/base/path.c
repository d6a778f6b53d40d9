#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

enum { OPEN_TRIES = 32, LINKS_MAX = 40 /* path_resolution(7) */ };

static int try_open(int root_fd, const char *path, int flags, mode_t mode, unsigned resolve)
{
	bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
		.flags = (unsigned long long)(unsigned)(flags | O_CLOEXEC),
		.mode = creates ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};

	/* EAGAIN: a rename raced with a ".." in the path (openat2(2)); an attacker can keep this
	 * up for ever, so the tries are counted */
	for (int i = 0; i < OPEN_TRIES; i++) {
		long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int path_try_open(int root_fd, const char *path, int flags, mode_t mode)
{
	return try_open(root_fd, path, flags, mode, 0);
}

int path_try_open_unlinked(int root_fd, const char *path, int flags)
{
	return try_open(root_fd, path, flags, 0, RESOLVE_NO_SYMLINKS);
}

int path_open(int root_fd, const char *path, int flags, mode_t mode, struct err *e)
{
	int fd = path_try_open(root_fd, path, flags, mode);
	if (fd >= 0)
		return fd;

	err_number(e, -fd, "open %s", path);
	if (fd == -ENOSYS)
		err_hint(e, "holm needs Linux 5.6 or later for openat2(2)");
	return fd;
}

/* Makes one folder at path, whose parent exists. The parent is opened on its own, so that a
 * link at the end is not followed by mkdirat. */
static int make_one(int root_fd, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	own_free char *parent = slash ? mem_text_n(path, (size_t)(slash - path)) : mem_text(".");
	own_fd int fd = path_try_open(root_fd, *parent ? parent : "/", O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	return mkdirat(fd, slash ? slash + 1 : path, mode) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Where the link at path leads, as a path below the root; NULL: path is no link. The caller
 * frees. */
static char *follow_link(int root_fd, const char *path)
{
	char target[PATH_MAX];
	const char *slash = strrchr(path, '/');
	own_free char *parent = slash ? mem_text_n(path, (size_t)(slash - path)) : mem_text("");

	own_fd int fd = path_try_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	return *target == '/' ? mem_text(target) : mem_format("%s/%s", parent, target);
}

static int make_dirs(int root_fd, const char *path, mode_t mode, unsigned links, struct err *e);

/* A link that leads nowhere yet is followed: what it names is made. */
static int make_missing(int root_fd, const char *path, mode_t mode, unsigned links, struct err *e)
{
	own_free char *target = follow_link(root_fd, path);

	if (target && links >= LINKS_MAX)
		return err_number(e, ELOOP, "make folder %s", path);
	if (target)
		return make_dirs(root_fd, target, mode, links + 1, e);
	int r = make_one(root_fd, path, mode);
	if (r == 0)
		r = path_try_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
	return r < 0 ? err_number(e, -r, "make folder %s", path) : r;
}

static int make_dirs(int root_fd, const char *path, mode_t mode, unsigned links, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	own_clear(str_clear) struct str at = { 0 };
	own_fd int fd = path_try_open(root_fd, *path ? path : "/", O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		return take_fd(&fd);
	if (fd != -ENOENT)
		return err_number(e, -fd, "open folder %s", path);

	strv_split(&parts, path, '/');
	for (size_t i = 0; i < parts.count; i++) {
		if (!*parts.items[i] || strcmp(parts.items[i], ".") == 0)
			continue;
		str_addf(&at, "/%s", parts.items[i]);
		if (fd >= 0)
			close(fd);
		fd = path_try_open(root_fd, at.text, O_PATH | O_DIRECTORY, 0);
		if (fd < 0 && fd != -ENOENT)
			return err_number(e, -fd, "make folder %s", at.text);
		if (fd < 0 && (fd = make_missing(root_fd, at.text, mode, links, e)) < 0)
			return fd;
	}
	if (fd < 0)
		return err_number(e, -fd, "make folder %s", path);
	return take_fd(&fd);
}

int path_make_dirs(int root_fd, const char *path, mode_t mode, struct err *e)
{
	return make_dirs(root_fd, path, mode, 0, e);
}

/* The root itself needs no looking up. */
static int open_folder(int root_fd, const char *path, bool make, struct err *e)
{
	if (strcmp(path, "/") == 0) {
		int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? err_sys(e, "open /") : fd;
	}
	return make ? path_make_dirs(root_fd, path, 0755, e)
		    : path_open(root_fd, path, O_PATH | O_DIRECTORY, 0, e);
}

int path_open_parent(int root_fd, const char *path, bool make, const char **last, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	own_free char *parent = slash ? mem_text_n(path, (size_t)(slash - path)) : mem_text("");

	if (!path_is_name(name))
		return err_set(e, ERR_INVALID, "'%s' does not end in a name", path);
	int fd = open_folder(root_fd, *parent ? parent : "/", make, e);
	if (fd >= 0)
		*last = name;
	return fd;
}

static int make_file(int root_fd, const char *path, mode_t mode, unsigned links, struct err *e)
{
	own_fd int fd = path_try_open(root_fd, path, O_PATH, 0);
	if (fd == -ENOENT) {
		const char *last;
		own_free char *target = follow_link(root_fd, path);
		if (target && links < LINKS_MAX)
			return make_file(root_fd, target, mode, links + 1, e);
		own_fd int parent = path_open_parent(root_fd, path, true, &last, e);
		if (parent < 0)
			return parent;
		own_fd int made = openat(
			parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (made < 0 && errno != EEXIST)
			return err_sys(e, "create %s", path);
		fd = path_try_open(root_fd, path, O_PATH, 0);
	}
	if (fd < 0)
		return err_number(e, -fd, "open %s", path);
	return take_fd(&fd);
}

int path_make_file(int root_fd, const char *path, mode_t mode, struct err *e)
{
	return make_file(root_fd, path, mode, 0, e);
}

bool path_is_mount(int dir_fd, const char *name)
{
	struct statx st = { 0 };

	return statx(dir_fd, name, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

char *path_join(const char *a, const char *b)
{
	while (*b == '/')
		b++;
	return mem_format("%s%s%s", a, str_ends(a, "/") || !*a ? "" : "/", b);
}

char *path_clean(const char *path)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	own_clear(strv_clear) struct strv kept = { 0 };

	strv_split(&parts, path, '/');
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.items[i];
		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") != 0)
			strv_add(&kept, part);
		else if (kept.count)
			strv_remove(&kept, kept.count - 1);
	}
	own_free char *joined = strv_join(&kept, "/");
	return mem_format("/%s", joined);
}

bool path_is_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
	       strlen(name) <= 255;
}
