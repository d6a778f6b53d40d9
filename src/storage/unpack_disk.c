#include "storage/unpack_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "oci/whiteout.h"

/* The folders whose times are still to be set take at most about this much memory. */
enum { FOLDERS_BYTES_MAX = 32 << 20 };

struct late_folder {
	char *path;
	struct timespec mtime;
	mode_t mode;   /* 07777 */
	bool set_mode; /* it could not be given at once, or changes what an earlier entry gave */
};

struct unpack_disk {
	int root_fd;
	bool merge;
	uid_t euid;
	gid_t egid;
	uint64_t unowned; /* unpack_disk_unowned() */
	bool by_names;    /* whiteouts are: no device can be made for them */
	bool was_hidden;  /* the last entry, by an earlier one */
	/* the folder of the last entry */
	int parent_fd; /* -1: none */
	char *parent;
	size_t parent_length;
	bool parent_setgid;
	/* for unpack_disk_end() */
	struct late_folder *late;
	size_t late_count;
	size_t late_bytes;
};

struct unpack_disk *unpack_disk_new(int root_fd, bool merge)
{
	struct unpack_disk *disk = mem_new_struct(struct unpack_disk);

	disk->root_fd = root_fd;
	disk->merge = merge;
	disk->parent_fd = -1;
	disk->euid = geteuid();
	disk->egid = getegid();
	return disk;
}

static void forget_parent(struct unpack_disk *disk)
{
	own_fd_call(&disk->parent_fd);
	disk->parent_fd = -1;
}

static void forget_late(struct unpack_disk *disk)
{
	for (size_t i = 0; i < disk->late_count; i++)
		free(disk->late[i].path);
	free(disk->late);
	disk->late = NULL;
	disk->late_count = 0;
	disk->late_bytes = 0;
}

void unpack_disk_free(struct unpack_disk *disk)
{
	forget_parent(disk);
	forget_late(disk);
	free(disk->parent);
	free(disk);
}

/* ---- the folder of an entry ---- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_whiteout(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && oci_whiteout_is_device(&st);
}

/* Takes away the name that hides this one. */
static bool show(const struct unpack_disk *disk, int dir_fd, const char *name)
{
	own_free char *whiteout =
		disk->by_names ? mem_format(OCI_WHITEOUT_PREFIX "%s", name) : NULL;

	return whiteout && unlinkat(dir_fd, whiteout, 0) == 0;
}

static int set_opaque(int fd, struct err *e)
{
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	/* without CAP_SYS_ADMIN in the first user namespace: overlayfs's userxattr mode */
	if (errno == EPERM && fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	return err_sys(e, "make a folder opaque");
}

static int set_opaque_at(int dir_fd, const char *name, struct err *e)
{
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open a folder");
	return set_opaque(fd, e);
}

/* Makes one implied folder in dir_fd, also where a whiteout stood: then what lower layers have
 * below stays hidden. */
static int make_implied(const struct unpack_disk *disk, int dir_fd, const char *name, struct err *e)
{
	if (mkdirat(dir_fd, name, 0755) == 0)
		return show(disk, dir_fd, name) ? set_opaque_at(dir_fd, name, e) : 0;
	if (errno != EEXIST)
		return err_sys(e, "make a folder");
	if (!is_whiteout(dir_fd, name))
		return err_set(e, ERR_CORRUPT, "a part of its path is not a folder");
	if (unlinkat(dir_fd, name, 0) < 0 || mkdirat(dir_fd, name, 0755) < 0)
		return err_sys(e, "make a folder");
	return set_opaque_at(dir_fd, name, e);
}

/* The folder path below the root, made where it is missing. */
static int open_folder(struct unpack_disk *disk, const char *path, struct err *e)
{
	int fd = path_try_open(disk->root_fd, *path ? path : ".", O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT && fd != -ENOTDIR)
		return err_number(e, -fd, "open its folder");

	own_free char *part = mem_text(path);
	for (char *slash = strchr(part, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		fd = path_try_open(disk->root_fd, part, O_PATH | O_DIRECTORY, 0);
		if (fd == -ENOENT || fd == -ENOTDIR) {
			const char *last;
			own_fd int above = path_open_parent(disk->root_fd, part, false, &last, e);
			if (above < 0 || make_implied(disk, above, last, e) < 0)
				return -e->number;
			fd = path_try_open(disk->root_fd, part, O_PATH | O_DIRECTORY, 0);
		}
		if (fd < 0)
			return err_number(e, -fd, "open its folder");
		if (!slash)
			return fd;
		close(fd);
		*slash = '/';
	}
}

/* The descriptor of the folder that holds path, borrowed; and the last part of path. Without make
 * a missing folder is an error. */
static int find_parent(struct unpack_disk *disk, const char *path, bool make, const char **last,
		       struct err *e)
{
	struct stat st;
	const char *name = last_part(path);
	size_t length = name == path ? 0 : (size_t)(name - path) - 1;

	*last = name;
	if (disk->parent_fd >= 0 && disk->parent_length == length &&
	    memcmp(disk->parent, path, length) == 0)
		return disk->parent_fd;

	own_free char *folder = mem_text_n(path, length);
	own_fd int fd =
		make ? open_folder(disk, folder, e)
		     : path_open(disk->root_fd, length ? folder : ".", O_PATH | O_DIRECTORY, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat its folder");
	forget_parent(disk);
	free(disk->parent);
	disk->parent = take_ptr(&folder);
	disk->parent_length = length;
	disk->parent_fd = take_fd(&fd);
	disk->parent_setgid = st.st_mode & S_ISGID;
	return disk->parent_fd;
}

static int parent_of(struct unpack_disk *disk, const char *path, const char **last, struct err *e)
{
	int dir_fd = find_parent(disk, path, true, last, e);

	disk->was_hidden = dir_fd >= 0 && show(disk, dir_fd, *last);
	return dir_fd;
}

/* Takes away what an earlier entry put at name. The caller forgets the open folder when it has
 * finished: a link that went may have been part of the way to it. */
static int make_way(const struct unpack_disk *disk, int dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (disk->merge && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return err_set(e, ERR_STATE, "cannot overwrite directory with non-directory");
	if (disk->merge && path_is_mount(dir_fd, name))
		return err_number(e, EBUSY, "replace it");
	if (disk->merge)
		return unlinkat(dir_fd, name, 0) < 0 ? err_sys(e, "replace it") : 0;
	if (fd_remove_tree_at(dir_fd, name, e) < 0)
		return err_add(e, "replace an earlier entry");
	return 0;
}

/* ---- owner, mode, attributes, times ---- */

static bool needs_owner(const struct unpack_disk *disk, const struct unpack_node *node)
{
	return node->uid != disk->euid || node->gid != disk->egid || disk->parent_setgid;
}

/* EINVAL: the id is none of the user namespace's. Where that has one alone, all is that one's. */
static int set_owner(struct unpack_disk *disk, int dir_fd, const char *name,
		     const struct unpack_node *node, struct err *e)
{
	int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);

	if (fchownat(dir_fd, name, node->uid, node->gid, flags) == 0)
		return 0;
	if (errno == EINVAL && user_ids_are_one()) {
		disk->unowned++;
		return 0;
	}
	int r = err_sys(e, "set the owner %u:%u", node->uid, node->gid);
	if (r != -EINVAL)
		return r;
	return err_hint(e,
			"your ids end before that: an administrator can give you more of them in "
			"/etc/subuid and /etc/subgid (usermod --add-subuids)");
}

uint64_t unpack_disk_unowned(const struct unpack_disk *disk)
{
	return disk->unowned;
}

static int set_xattrs(int fd, const struct unpack_node *node, struct err *e)
{
	for (size_t i = 0; i < node->xattrs_count; i++) {
		const struct unpack_xattr *x = &node->xattrs[i];
		if (fsetxattr(fd, x->name, x->value, x->size, 0) == 0)
			continue;
		/* a filesystem without user.*, or file capabilities that are not ours to give */
		if (errno == EOPNOTSUPP ||
		    (errno == EPERM && (geteuid() != 0 || user_ids_are_mapped())))
			continue;
		if (errno == EINVAL)
			return err_set(e, ERR_CORRUPT, "attribute %s is malformed", x->name);
		return err_sys(e, "set attribute %s", x->name);
	}
	return 0;
}

int unpack_disk_finish(struct unpack_disk *disk, int fd, const struct unpack_node *node,
		       struct err *e)
{
	struct timespec times[2] = { node->mtime, node->mtime };
	bool owner = needs_owner(disk, node);

	if (owner && set_owner(disk, fd, "", node, e) < 0)
		return -e->number;
	/* created with its mode under umask 022; chown takes setuid away */
	if ((node->mode & 07022) && fchmod(fd, node->mode) < 0)
		return err_sys(e, "set the mode");
	if (node->xattrs_count) {
		int r = set_xattrs(fd, node, e);
		if (r < 0)
			return r;
	}
	if (futimens(fd, times) < 0)
		return err_sys(e, "set the times");
	return 0;
}

/* Never of what a link leads to, that somebody put in its place: chmod(2) knows no other way. */
static int set_mode_at(int dir_fd, const char *name, mode_t mode)
{
	char path[32];
	struct stat st;

	own_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fchmodat(AT_FDCWD, path, mode, 0);
}

/* The same for what cannot be opened: links, devices, fifos. */
static int finish_at(struct unpack_disk *disk, int dir_fd, const char *name,
		     const struct unpack_node *node, struct err *e)
{
	struct timespec times[2] = { node->mtime, node->mtime };

	if (needs_owner(disk, node) && set_owner(disk, dir_fd, name, node, e) < 0)
		return -e->number;
	if (node->type != S_IFLNK && (node->mode & 07022) &&
	    set_mode_at(dir_fd, name, node->mode) < 0)
		return err_sys(e, "set the mode");
	if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the times");
	return 0;
}

/* ---- making things ---- */

int unpack_disk_create(struct unpack_disk *disk, const struct unpack_node *node, struct err *e)
{
	enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
	const char *name;

	int dir_fd = parent_of(disk, node->path, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	int fd = openat(dir_fd, name, FLAGS, node->mode & 0777);
	if (fd < 0 && errno == EEXIST) {
		if (make_way(disk, dir_fd, name, e) < 0)
			return -e->number;
		fd = openat(dir_fd, name, FLAGS, node->mode & 0777);
		forget_parent(disk);
	}
	return fd < 0 ? err_sys(e, "create it") : fd;
}

int unpack_disk_write(struct unpack_disk *disk, int fd, const void *bytes, size_t length,
		      int64_t offset, struct err *e)
{
	const char *at = bytes;

	(void)disk;
	while (length) {
		ssize_t n = pwrite(fd, at, length, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write");
		at += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

void unpack_disk_drop(struct unpack_disk *disk, const struct unpack_node *node)
{
	struct err ignored;
	const char *name;
	int dir_fd = find_parent(disk, node->path, false, &name, &ignored);

	if (dir_fd >= 0)
		unlinkat(dir_fd, name, 0);
}

static void remember_folder(struct unpack_disk *disk, const struct unpack_node *node, bool existed)
{
	bool set_mode = existed || (node->mode & 0700) != 0700;
	struct err ignored;

	if (disk->late_bytes > FOLDERS_BYTES_MAX) {
		unpack_disk_end(disk, &ignored);
		forget_late(disk);
	}
	/* doubles at powers of two */
	if ((disk->late_count & (disk->late_count - 1)) == 0)
		disk->late = mem_resize(disk->late, disk->late_count ? disk->late_count * 2 : 1,
					sizeof(*disk->late));
	disk->late[disk->late_count++] =
		(struct late_folder){ mem_text(node->path), node->mtime, node->mode, set_mode };
	disk->late_bytes += strlen(node->path) + sizeof(*disk->late) + 32;
}

/* Owner and attributes of a folder that is there; its mode and times come last. */
static int finish_folder(struct unpack_disk *disk, int dir_fd, const char *name,
			 const struct unpack_node *node, bool existed, struct err *e)
{
	if ((existed || needs_owner(disk, node)) && set_owner(disk, dir_fd, name, node, e) < 0)
		return -e->number;
	if ((existed || disk->parent_setgid || (node->mode & 07022)) &&
	    set_mode_at(dir_fd, name, node->mode | 0700) < 0)
		return err_sys(e, "set the mode");
	if (node->xattrs_count) {
		own_fd int fd =
			openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open it");
		int r = set_xattrs(fd, node, e);
		if (r < 0)
			return r;
	}
	remember_folder(disk, node, existed);
	/* the mode of the open folder may have become setgid */
	if (existed)
		forget_parent(disk);
	return 0;
}

static int finish_root(struct unpack_disk *disk, const struct unpack_node *node, struct err *e)
{
	int r = set_owner(disk, disk->root_fd, "", node, e);
	if (r < 0)
		return r;
	if (fchmod(disk->root_fd, node->mode | 0700) < 0)
		return err_sys(e, "set the mode");
	r = set_xattrs(disk->root_fd, node, e);
	if (r < 0)
		return r;
	remember_folder(disk, node, true);
	forget_parent(disk);
	return 0;
}

/* Something is where the folder is to be. */
static int replace_by_folder(struct unpack_disk *disk, int dir_fd, const char *name,
			     const struct unpack_node *node, struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat it");
	if (S_ISDIR(st.st_mode))
		return finish_folder(disk, dir_fd, name, node, true, e);
	if (disk->merge)
		return err_set(e, ERR_STATE, "cannot overwrite non-directory with directory");

	bool hidden = oci_whiteout_is_device(&st);
	int r = make_way(disk, dir_fd, name, e);
	if (r < 0)
		return r;
	if (mkdirat(dir_fd, name, 0700) < 0)
		return err_sys(e, "make a folder");
	if (hidden && set_opaque_at(dir_fd, name, e) < 0)
		return -e->number;
	return finish_folder(disk, dir_fd, name, node, true, e);
}

int unpack_disk_folder(struct unpack_disk *disk, const struct unpack_node *node, struct err *e)
{
	const char *name;

	if (!*node->path)
		return finish_root(disk, node, e);
	int dir_fd = parent_of(disk, node->path, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	if (mkdirat(dir_fd, name, (node->mode & 0777) | 0700) == 0) {
		if (disk->was_hidden && set_opaque_at(dir_fd, name, e) < 0)
			return -e->number;
		return finish_folder(disk, dir_fd, name, node, false, e);
	}
	if (errno != EEXIST)
		return err_sys(e, "make a folder");
	return replace_by_folder(disk, dir_fd, name, node, e);
}

static int make_symlink(int dir_fd, const char *name, const struct unpack_node *node)
{
	return symlinkat(node->target, dir_fd, name);
}

static int make_node(int dir_fd, const char *name, const struct unpack_node *node)
{
	return mknodat(dir_fd, name, node->type | (node->mode & 0777), node->device);
}

static int make_anew(struct unpack_disk *disk, const struct unpack_node *node,
		     int (*make)(int, const char *, const struct unpack_node *), struct err *e)
{
	const char *name;

	int dir_fd = parent_of(disk, node->path, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	int r = make(dir_fd, name, node);
	bool replaced = r < 0 && errno == EEXIST;
	if (replaced) {
		if (make_way(disk, dir_fd, name, e) < 0)
			return -e->number;
		r = make(dir_fd, name, node);
	}
	if (r < 0)
		return err_sys(e, "make it");
	r = finish_at(disk, dir_fd, name, node, e);
	if (replaced)
		forget_parent(disk);
	return r;
}

int unpack_disk_symlink(struct unpack_disk *disk, const struct unpack_node *node, struct err *e)
{
	if (str_empty(node->target))
		return err_set(e, ERR_CORRUPT, "a symbolic link to nothing");
	return make_anew(disk, node, make_symlink, e);
}

int unpack_disk_special(struct unpack_disk *disk, const struct unpack_node *node, struct err *e)
{
	return make_anew(disk, node, make_node, e);
}

int unpack_disk_link(struct unpack_disk *disk, const struct unpack_node *node, const char *target,
		     struct err *e)
{
	const char *to, *name;

	if (strcmp(target, node->path) == 0)
		return err_set(e, ERR_CORRUPT, "a hard link to itself");
	own_fd int target_fd = path_open_parent(disk->root_fd, target, false, &to, e);
	if (target_fd < 0)
		return err_set(e, ERR_CORRUPT, "a hard link to a file that is not there");
	int dir_fd = parent_of(disk, node->path, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	/* without AT_SYMLINK_FOLLOW: a link to a symbolic link is that link */
	if (linkat(target_fd, to, dir_fd, name, 0) == 0)
		return 0;
	if (errno == EEXIST) {
		if (make_way(disk, dir_fd, name, e) < 0)
			return -e->number;
		int r = linkat(target_fd, to, dir_fd, name, 0);
		forget_parent(disk);
		if (r == 0)
			return 0;
	}
	if (errno == ENOENT || errno == EPERM)
		return err_set(e, ERR_CORRUPT, "a hard link to a file that is not there");
	return err_sys(e, "make a hard link");
}

/* ---- whiteouts ---- */

/* A whiteout is about lower layers: this layer's own entry stays, and a file of it hides theirs by
 * being there. */
static int hide_below(int dir_fd, const char *name, const struct stat *st, struct err *e)
{
	return S_ISDIR(st->st_mode) ? set_opaque_at(dir_fd, name, e) : 0;
}

/* On another overlay nobody makes such a device; fuse-overlayfs reads names. */
static int whiteout_by_name(struct unpack_disk *disk, int dir_fd, const char *name, struct err *e)
{
	own_free char *whiteout = mem_format(OCI_WHITEOUT_PREFIX "%s", name);
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return hide_below(dir_fd, name, &st, e);
	if (!disk->by_names && oci_whiteout_mark_by_names(disk->root_fd, e) < 0)
		return -e->number;
	disk->by_names = true;
	own_fd int fd = openat(dir_fd, whiteout, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "make a whiteout") : 0;
}

int unpack_disk_whiteout(struct unpack_disk *disk, const char *path, struct err *e)
{
	const char *name;
	struct stat st;

	int dir_fd = find_parent(disk, path, true, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	if (mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno == EPERM && user_ids_are_mapped())
		return whiteout_by_name(disk, dir_fd, name, e);
	if (errno != EEXIST || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "make a whiteout");
	return hide_below(dir_fd, name, &st, e);
}

int unpack_disk_opaque(struct unpack_disk *disk, const char *path, struct err *e)
{
	own_fd int fd = open_folder(disk, path, e);
	if (fd < 0)
		return fd;
	own_fd int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0)
		return err_sys(e, "open the folder");
	return set_opaque(readable, e);
}

/* ---- the end ---- */

static int finish_late(struct unpack_disk *disk, const struct late_folder *late, struct err *e)
{
	struct timespec times[2] = { late->mtime, late->mtime };
	const char *name;
	struct stat st;

	if (!*late->path) {
		if (late->set_mode && fchmod(disk->root_fd, late->mode) < 0)
			return err_sys(e, "set the mode of the root");
		return futimens(disk->root_fd, times) < 0 ? err_sys(e, "set the times") : 0;
	}
	/* a later entry may have put something else in its place, or in that of a folder above */
	int dir_fd = find_parent(disk, late->path, false, &name, e);
	if (dir_fd < 0)
		return 0;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (late->set_mode && set_mode_at(dir_fd, name, late->mode) < 0)
		return err_sys(e, "set the mode of a folder");
	if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the times of a folder");
	return 0;
}

int unpack_disk_end(struct unpack_disk *disk, struct err *e)
{
	/* forwards: of two entries for one folder the later wins */
	for (size_t i = 0; i < disk->late_count; i++) {
		int r = finish_late(disk, &disk->late[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}
