#include "base/copy.h"

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
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"

enum {
	XATTR_NAMES_MAX = 65536,
	XATTR_VALUE_MAX = 65536,
	FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

struct linked { /* a file with several names, where its first copy went */
	dev_t device;
	ino_t inode;
	char *path;
};

struct copy {
	const struct copy_options *options;
	int to_root;  /* where the paths of linked begin */
	dev_t device; /* of what is copied: other devices are other mounts */
	struct linked *linked;
	size_t linked_count;
	struct str path; /* of the entry at hand, below to_root */
	unsigned depth;
};

/* The names of one thing on both sides. */
struct pair {
	int from_dir;
	const char *from;
	int to_dir;
	const char *to;
	struct stat st; /* its owners are those to be set */
	bool owned;     /* by the caller before, too: set-id bits may stay */
};

static void copy_clear(struct copy *copy)
{
	for (size_t i = 0; i < copy->linked_count; i++)
		free(copy->linked[i].path);
	free(copy->linked);
	str_clear(&copy->path);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* ---- attributes ---- */

static bool is_copied(const struct copy *copy, const struct pair *pair, const char *name)
{
	if (str_starts(name, "trusted.overlay.") || str_starts(name, "user.overlay."))
		return copy->options->opaque && str_ends(name, ".overlay.opaque");
	if (strcmp(name, "security.capability") == 0)
		return copy->options->owners == COPY_OWNERS_KEEP || pair->owned;
	return copy->options->all_attributes || str_starts(name, "user.");
}

/* One that cannot be set here is left out, but for what changes the meaning of a layer. */
static int copy_xattrs(const struct copy *copy, const struct pair *pair, int from, int to)
{
	ssize_t length = flistxattr(from, NULL, 0);

	if (length <= 0 || length > XATTR_NAMES_MAX)
		return 0;
	own_free char *names = mem_new(1, XATTR_NAMES_MAX);
	own_free char *value = mem_new(1, XATTR_VALUE_MAX);
	length = flistxattr(from, names, XATTR_NAMES_MAX);
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		if (!is_copied(copy, pair, names + at))
			continue;
		ssize_t size = fgetxattr(from, names + at, value, XATTR_VALUE_MAX);
		if (size >= 0 && fsetxattr(to, names + at, value, (size_t)size, 0) < 0 &&
		    copy->options->opaque)
			return -errno;
	}
	return 0;
}

static mode_t copied_mode(const struct copy *copy, const struct pair *pair)
{
	bool dropped = copy->options->owners == COPY_OWNERS_CALLER && !pair->owned &&
		       !S_ISDIR(pair->st.st_mode);

	return pair->st.st_mode & (dropped ? 01777 : 07777);
}

static bool sets_owner(const struct copy *copy)
{
	return copy->options->owners == COPY_OWNERS_KEEP;
}

/* Owner first: chown takes setuid bits and capabilities away. */
static int copy_attributes(const struct copy *copy, const struct pair *pair, int from, int to)
{
	const struct timespec times[2] = { pair->st.st_atim, pair->st.st_mtim };

	if (sets_owner(copy) && fchown(to, pair->st.st_uid, pair->st.st_gid) < 0)
		return -errno;
	if (fchmod(to, copied_mode(copy, pair)) < 0)
		return -errno;
	int r = copy_xattrs(copy, pair, from, to);
	return r == 0 && futimens(to, times) < 0 ? -errno : r;
}

static int copy_owner_at(const struct copy *copy, const struct pair *pair)
{
	const struct timespec times[2] = { pair->st.st_atim, pair->st.st_mtim };

	if (sets_owner(copy) && fchownat(pair->to_dir, pair->to, pair->st.st_uid, pair->st.st_gid,
					 AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	utimensat(pair->to_dir, pair->to, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

/* ---- one file ---- */

/* By the kernel where it can: with copy_file_range(2) filesystems share the blocks. */
static ssize_t copy_some(int from, int to, off_t at, size_t length)
{
	loff_t in = at, out = at;

	ssize_t n = copy_file_range(from, &in, to, &out, length, 0);
	if (n >= 0 || (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP))
		return n;
	return lseek(to, at, SEEK_SET) < 0 ? -1 : sendfile(to, from, &in, length);
}

static int copy_range(int from, int to, off_t at, off_t end)
{
	while (at < end) {
		ssize_t n = copy_some(from, to, at, (size_t)(end - at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* it has become shorter */
		at += n;
	}
	return 0;
}

/* As much as there was when it was looked at; holes stay holes. */
static int copy_bytes(int from, int to, off_t size)
{
	for (off_t at = 0; at < size;) {
		off_t data = lseek(from, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		data = data < 0 ? at : data;
		off_t end = lseek(from, data, SEEK_HOLE);
		end = end < 0 || end > size ? size : end;
		int r = copy_range(from, to, data, end);
		if (r < 0)
			return r;
		at = end;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

/* Less costs no more than the marks do. One of several names may be another file's in a layer that
 * the bytes are looked for in first. */
enum { REDIRECT_BYTES_MIN = 4096 };

static int redirect(const struct copy *copy, int to, off_t size)
{
	own_free char *path = mem_format("%s/%s", copy->options->redirect, copy->path.text);

	if (fsetxattr(to, "user.overlay.metacopy", "", 0, 0) < 0 ||
	    fsetxattr(to, "user.overlay.redirect", path, strlen(path), 0) < 0 ||
	    ftruncate(to, size) < 0)
		return -errno;
	return 0;
}

static int fill_file(struct copy *copy, struct pair *pair, int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	/* another file may have taken its place since it was looked at */
	if (!S_ISREG(st.st_mode))
		return -ESTALE;
	/* best effort where the filesystem knows no such thing */
	if (copy->options->settle)
		sync_file_range(from, 0, 0,
				SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					SYNC_FILE_RANGE_WAIT_AFTER);
	bool redirected =
		copy->options->redirect && st.st_nlink == 1 && st.st_size > REDIRECT_BYTES_MIN;
	int r = redirected ? redirect(copy, to, st.st_size) : copy_bytes(from, to, st.st_size);
	if (r == 0)
		r = copy_attributes(copy, pair, from, to);
	if (r == 0 && copy->options->bytes)
		*copy->options->bytes += (uint64_t)st.st_size;
	return r;
}

static int copy_file(struct copy *copy, struct pair *pair)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	own_fd int from =
		openat(pair->from_dir, pair->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	own_fd int to = openat(pair->to_dir, pair->to, flags, 0600);
	if (to < 0)
		return -errno;
	int r = fill_file(copy, pair, from, to);
	if (r < 0)
		unlinkat(pair->to_dir, pair->to, 0);
	return r;
}

static int copy_link(struct copy *copy, struct pair *pair)
{
	char target[PATH_MAX];

	ssize_t n = readlinkat(pair->from_dir, pair->from, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, pair->to_dir, pair->to) < 0)
		return -errno;
	return copy_owner_at(copy, pair);
}

/* Devices, fifos and sockets. */
static int copy_node(struct copy *copy, struct pair *pair)
{
	mode_t mode = (pair->st.st_mode & S_IFMT) | copied_mode(copy, pair);

	if (S_ISSOCK(mode) && !copy->options->sockets)
		return 0;
	if (mknodat(pair->to_dir, pair->to, mode, pair->st.st_rdev) < 0)
		return errno == EPERM ? 0 : -errno;
	return copy_owner_at(copy, pair);
}

/* 1: the file was there under another name and is linked now; 0: it is new. */
static int link_again(struct copy *copy, const struct pair *pair)
{
	char source[32];

	for (size_t i = 0; i < copy->linked_count; i++) {
		const struct linked *l = &copy->linked[i];
		if (l->device != pair->st.st_dev || l->inode != pair->st.st_ino)
			continue;
		own_fd int fd = path_try_open(copy->to_root, l->path, O_PATH | O_NOFOLLOW, 0);
		if (fd < 0)
			return fd;
		snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
		return linkat(AT_FDCWD, source, pair->to_dir, pair->to, AT_SYMLINK_FOLLOW) < 0
			       ? -errno
			       : 1;
	}
	copy->linked = shape_list_grow(copy->linked, copy->linked_count, sizeof(*copy->linked));
	copy->linked[copy->linked_count++] =
		(struct linked){ pair->st.st_dev, pair->st.st_ino, mem_text(copy->path.text) };
	return 0;
}

/* ---- folders ---- */

static int copy_folder(struct copy *copy, int from, int to);

/* What is in there is copied, then the attributes, of which the time has changed by that. */
static int fill_folder(struct copy *copy, struct pair *pair)
{
	if (copy->options->one_filesystem && pair->st.st_dev != copy->device)
		return 0; /* the place of a mount */
	if (copy->depth >= COPY_DEPTH_MAX)
		return -ELOOP;
	own_fd int from = openat(pair->from_dir, pair->from, FOLDER_FLAGS);
	own_fd int to = from < 0 ? -1 : openat(pair->to_dir, pair->to, FOLDER_FLAGS);
	if (to < 0)
		return -errno;
	bool shut = copy->options->no_kernel && pair->st.st_dev != copy->device &&
		    fd_is_of_kernel(from);
	copy->depth++;
	int r = shut ? 0 : copy_folder(copy, from, to);
	copy->depth--;
	return r < 0 ? r : copy_attributes(copy, pair, from, to);
}

static int copy_subfolder(struct copy *copy, struct pair *pair)
{
	if (mkdirat(pair->to_dir, pair->to, 0700) < 0 && (errno != EEXIST || !copy->options->merge))
		return -errno;
	return fill_folder(copy, pair);
}

/* What is at its place already: as with tar a folder is filled, and never replaced by something
 * else, nor something else by a folder; the rest goes. */
static int make_way(const struct copy *copy, const struct pair *pair)
{
	struct stat there;

	if (!copy->options->merge ||
	    fstatat(pair->to_dir, pair->to, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(there.st_mode) != S_ISDIR(pair->st.st_mode))
		return S_ISDIR(there.st_mode) ? -EISDIR : -ENOTDIR;
	if (S_ISDIR(there.st_mode))
		return 0;
	if (path_is_mount(pair->to_dir, pair->to))
		return -EBUSY;
	return unlinkat(pair->to_dir, pair->to, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static void set_owners(const struct copy *copy, struct pair *pair)
{
	pair->owned = pair->st.st_uid == geteuid() && pair->st.st_gid == getegid();
	if (sets_owner(copy) && copy->options->map)
		copy->options->map(copy->options->context, &pair->st.st_uid, &pair->st.st_gid);
}

static int copy_thing(struct copy *copy, struct pair *pair)
{
	if (fstatat(pair->from_dir, pair->from, &pair->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	set_owners(copy, pair);
	int r = make_way(copy, pair);
	if (r < 0)
		return r;
	if (!S_ISDIR(pair->st.st_mode) && pair->st.st_nlink > 1) {
		r = link_again(copy, pair);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	switch (pair->st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_subfolder(copy, pair);
	case S_IFREG:
		return copy_file(copy, pair);
	case S_IFLNK:
		return copy_link(copy, pair);
	default:
		return copy_node(copy, pair);
	}
}

static int copy_entry(struct copy *copy, struct pair *pair)
{
	int r = copy_thing(copy, pair);

	if (r == 0 && copy->options->done)
		copy->options->done(copy->options->done_context, &pair->st, pair->to_dir, pair->to);
	return r;
}

static void path_cut(struct copy *copy, size_t length)
{
	copy->path.length = length;
	copy->path.text[length] = '\0';
}

static int copy_names(struct copy *copy, DIR *from, int to)
{
	size_t length = copy->path.length;

	for (struct dirent *entry; (entry = readdir(from));) {
		struct pair pair = { dirfd(from), entry->d_name, to, entry->d_name };
		if (is_dots(entry->d_name))
			continue;
		str_addf(&copy->path, "/%s", entry->d_name);
		int r = copy_entry(copy, &pair);
		/* what others remove meanwhile was not there */
		if (r < 0 && !(r == -ENOENT && faccessat(dirfd(from), entry->d_name, F_OK,
							 AT_SYMLINK_NOFOLLOW) < 0))
			return r; /* with the path of what failed */
		path_cut(copy, length);
	}
	return 0;
}

static int copy_folder(struct copy *copy, int from, int to)
{
	int reading = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);

	return dir ? copy_names(copy, dir, to) : -errno;
}

/* ---- the whole ---- */

static int tell(const struct copy *copy, int r, struct err *e)
{
	const char *path = copy->path.text;

	switch (r) {
	case -EISDIR:
		return err_set(e, ERR_STATE, "cannot overwrite directory %s with non-directory",
			       path);
	case -ENOTDIR:
		return err_set(e, ERR_STATE, "cannot overwrite non-directory %s with directory",
			       path);
	case -ELOOP:
		return err_set(e, ERR_UNSUPPORTED, "%s: more than %d folders deep", path,
			       COPY_DEPTH_MAX);
	case -ESTALE:
		return err_set(e, ERR_STATE, "%s changed while it was copied", path);
	case -EBUSY:
		err_number(e, -r, "%s", path);
		return err_hint(e, "something is mounted there: write into it from inside");
	default:
		return err_number(e, -r, "%s", path);
	}
}

int copy_tree_at(int from_dir, const char *from, int to_dir, const char *to,
		 const struct copy_options *options, struct err *e)
{
	own_clear(copy_clear) struct copy copy = { .options = options, .to_root = to_dir };
	struct pair pair = { from_dir, from, to_dir, to };
	struct stat st;

	str_addf(&copy.path, "%s", to);
	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s", from);
	copy.device = st.st_dev;
	int r = copy_entry(&copy, &pair);
	return r < 0 ? tell(&copy, r, e) : 0;
}

int copy_tree_contents(int from_fd, int to_fd, bool attributes, const struct copy_options *options,
		       struct err *e)
{
	own_clear(copy_clear) struct copy copy = { .options = options, .to_root = to_fd };
	struct pair pair = { from_fd, ".", to_fd, "." };

	own_fd int from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0 || fstat(from, &pair.st) < 0)
		return err_sys(e, "open the folders");
	str_add(&copy.path, "");
	copy.device = pair.st.st_dev;
	set_owners(&copy, &pair);
	int r = copy_folder(&copy, from, to);
	if (r == 0 && attributes)
		r = copy_attributes(&copy, &pair, from, to);
	return r < 0 ? tell(&copy, r, e) : 0;
}

int copy_attributes_of(int from_fd, int to_fd, const struct copy_options *options, struct err *e)
{
	struct copy copy = { .options = options };
	struct pair pair = { from_fd, ".", to_fd, "." };

	if (fstat(from_fd, &pair.st) < 0)
		return err_sys(e, "look at a folder");
	set_owners(&copy, &pair);
	int r = copy_attributes(&copy, &pair, from_fd, to_fd);
	return r < 0 ? err_number(e, -r, "give a folder its attributes") : 0;
}
