#include "runtime/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"

/* Each level holds two descriptors, and RLIMIT_NOFILE is 1024 by default. */
enum { DEPTH_MAX = 400, XATTR_NAMES_MAX = 65536, XATTR_VALUE_MAX = 65536 };

struct linked { /* a file with several names, where its first copy went */
	dev_t device;
	ino_t inode;
	char *path;
};

struct copy {
	int to_root;
	dev_t device; /* of the folder that is copied: other devices are other mounts */
	struct linked *linked;
	size_t linked_count;
	struct str path; /* of the entry at hand, for messages and links */
	unsigned depth;
};

static void copy_clear(struct copy *copy)
{
	for (size_t i = 0; i < copy->linked_count; i++)
		free(copy->linked[i].path);
	free(copy->linked);
	str_clear(&copy->path);
}

/* A descriptor to read from, of one that may be O_PATH. */
static int reopen_folder(int fd)
{
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int runtime_copy_up_is_empty(int fd)
{
	int reading = reopen_folder(fd);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);

	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!is_dots(entry->d_name))
			return 0;
	return 1;
}

/* overlayfs' own attributes are not the file's; security.capability and the rest are. */
static void copy_xattrs(int from, int to)
{
	own_free char *names = malloc(XATTR_NAMES_MAX);
	own_free char *value = malloc(XATTR_VALUE_MAX);
	ssize_t length = names && value ? flistxattr(from, names, XATTR_NAMES_MAX) : -1;

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;
		if (str_starts(name, "trusted.overlay.") || str_starts(name, "user.overlay."))
			continue;
		ssize_t size = fgetxattr(from, name, value, XATTR_VALUE_MAX);
		if (size >= 0)
			fsetxattr(to, name, value, (size_t)size, 0);
	}
}

/* Owner first: chown takes setuid bits and capabilities away. */
static int copy_attributes(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	copy_xattrs(from, to);
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_bytes(int from, int to, off_t length)
{
	while (length > 0) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)length, 0);
		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP))
			n = sendfile(to, from, NULL, (size_t)length);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		length -= n;
	}
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	own_fd int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	own_fd int to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	int r = copy_bytes(from, to, st->st_size);
	return r < 0 ? r : copy_attributes(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

/* Devices, fifos and sockets. */
static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0)
		return errno == EPERM ? 0 : -errno;
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* 1: the file was there under another name and is linked now; 0: it is new. */
static int link_again(struct copy *copy, int to_dir, const char *name, const struct stat *st)
{
	char source[32];

	for (size_t i = 0; i < copy->linked_count; i++) {
		const struct linked *l = &copy->linked[i];
		if (l->device != st->st_dev || l->inode != st->st_ino)
			continue;
		own_fd int fd = path_try_open(copy->to_root, l->path, O_PATH | O_NOFOLLOW, 0);
		if (fd < 0)
			return fd;
		snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
		return linkat(AT_FDCWD, source, to_dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 1;
	}
	copy->linked = shape_list_grow(copy->linked, copy->linked_count, sizeof(*copy->linked));
	copy->linked[copy->linked_count++] =
		(struct linked){ st->st_dev, st->st_ino, mem_text(copy->path.text) };
	return 0;
}

static int copy_folder(struct copy *copy, int from, int to);

static int copy_subfolder(struct copy *copy, int from_dir, int to_dir, const char *name,
			  const struct stat *st)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	if (st->st_dev != copy->device) /* the place of a mount: an empty folder */
		return 0;
	if (copy->depth >= DEPTH_MAX)
		return -ELOOP;
	own_fd int from = openat(from_dir, name, flags);
	own_fd int to = openat(to_dir, name, flags);
	if (from < 0 || to < 0)
		return -errno;
	copy->depth++;
	int r = copy_folder(copy, from, to);
	copy->depth--;
	return r < 0 ? r : copy_attributes(from, to, st);
}

static int copy_entry(struct copy *copy, int from_dir, int to_dir, const char *name)
{
	struct stat st;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		int r = link_again(copy, to_dir, name, &st);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_subfolder(copy, from_dir, to_dir, name, &st);
	case S_IFREG:
		return copy_file(from_dir, to_dir, name, &st);
	case S_IFLNK:
		return copy_link(from_dir, to_dir, name, &st);
	default:
		return copy_node(to_dir, name, &st);
	}
}

static int copy_folder(struct copy *copy, int from, int to)
{
	int reading = reopen_folder(from);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);
	size_t length = copy->path.length;

	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (is_dots(entry->d_name))
			continue;
		str_addf(&copy->path, "/%s", entry->d_name);
		int r = copy_entry(copy, from, to, entry->d_name);
		if (r < 0)
			return r; /* with the path of what failed */
		copy->path.length = length;
		copy->path.text[length] = '\0';
	}
	return 0;
}

int runtime_copy_up_in_child(int from_fd, int to_fd, struct err *e)
{
	own_clear(copy_clear) struct copy copy = { .to_root = to_fd };
	struct stat st;

	int empty = runtime_copy_up_is_empty(to_fd);
	if (empty <= 0)
		return empty < 0 ? err_number(e, -empty, "read the volume") : 0;
	own_fd int from = reopen_folder(from_fd);
	own_fd int to = reopen_folder(to_fd);
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return err_sys(e, "open the folders");
	copy.device = st.st_dev;
	int r = copy_folder(&copy, from, to);
	if (r < 0)
		return err_number(e, -r, "%s", copy.path.length ? copy.path.text : "/");
	r = copy_attributes(from, to, &st);
	return r < 0 ? err_number(e, -r, "set the owner of the volume") : 0;
}
