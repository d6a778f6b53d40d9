#include "runtime/mount_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/mount.h"
#include "runtime/mount_source.h"
#include "runtime/tree.h"

/* ---- the filesystems of the system ---- */

static bool is_type(const struct runtime_mount *m, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count && !runtime_mount_is_bind(m); i++)
		if (str_equal(m->spec->type, types[i]))
			return true;
	return false;
}

static bool shows_kernel(const struct runtime_mount *m)
{
	static const char *const types[] = { "proc",   "sysfs",  "devpts",
					     "mqueue", "cgroup", "cgroup2" };

	return is_type(m, types, COUNT_OF(types));
}

/* Those that programs look for at their places, whoever asked for them. What is mounted on /run and
 * /tmp of an application is a person's wish. */
static bool is_of_system(const struct runtime_mount *m, bool guest)
{
	static const char *const tmpfs[] = { "tmpfs" };
	own_free char *path = path_clean(m->spec->destination);

	if (!is_type(m, tmpfs, COUNT_OF(tmpfs)))
		return shows_kernel(m);
	return strcmp(path, "/dev") == 0 ||
	       (guest && (strcmp(path, "/run") == 0 || strcmp(path, "/tmp") == 0));
}

static int refuse(const char *path, int fd, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

	if (n <= 0)
		return err_set(e, ERR_INVALID, "%s is not a folder in the image", path);
	target[n] = '\0';
	err_set(e, ERR_INVALID, "%s is not a folder in the image, but a link to %s", path, target);
	return err_hint(e,
			"what the system mounts there has to lie there; put a folder in the place "
			"of the link");
}

static int check_folder(const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at %s", path);
	return S_ISDIR(st.st_mode) ? 0 : refuse(path, fd, e);
}

/* What lies below another of these mounts is looked at when that is there. */
static bool is_below(const struct runtime_mounts *mounts, size_t which)
{
	own_free char *path = path_clean(mounts->items[which].spec->destination);

	for (size_t i = 0; i < which; i++) {
		own_free char *above = path_clean(mounts->items[i].spec->destination);
		size_t length = strlen(above);
		if (str_starts(path, above) && (path[length] == '/' || !path[length]))
			return true;
	}
	return false;
}

int runtime_mount_target_check_in_child(const struct runtime_mounts *mounts,
					const struct runtime_tree *tree, struct err *e)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct runtime_mount *m = &mounts->items[i];
		const char *path = m->spec->destination;
		if (m->options.remount || !is_of_system(m, mounts->guest) || is_below(mounts, i))
			continue;
		own_fd int fd = runtime_tree_open(tree, path, O_PATH | O_NOFOLLOW);
		if (fd >= 0 && check_folder(path, fd, e) < 0)
			return err_add(e, "mount %s", path);
	}
	return 0;
}

/* A procfs or sysfs elsewhere than where its name says would let the image choose what the masks
 * and the runtime's own writes hit (CVE-2019-19921). */
static int open_system_target(const char *path, const struct runtime_tree *tree, struct err *e)
{
	own_free char *last = NULL;

	own_fd int parent = runtime_tree_open_parent(tree, path, &last, e);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, last, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	own_fd int fd = openat(parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = check_folder(path, fd, e);
	return r < 0 ? r : take_fd(&fd);
}

/* ---- all others ---- */

/* dest-nofollow: what is there, a link as such. */
static int open_unfollowed(const struct runtime_mount *m, const struct runtime_tree *tree,
			   struct err *e)
{
	const char *path = m->spec->destination;
	own_free char *last = NULL;

	own_fd int parent = runtime_tree_open_parent(tree, path, &last, e);
	if (parent < 0)
		return parent;
	bool folder = m->source_fd < 0 || m->is_folder;
	int made = folder ? mkdirat(parent, last, 0755) : mknodat(parent, last, S_IFREG | 0644, 0);
	if (made < 0 && errno != EEXIST)
		return err_sys(e, "make %s", path);
	int fd = openat(parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* The tmpfs that the nodes of devices are made in. */
static bool is_dev(int target, const struct runtime_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->mounts[i].path, "/dev") == 0 &&
		    is_same_file(target, tree->mounts[i].fd))
			return true;
	return false;
}

/* Only who names such a place may mount there: not an image, by a link. What a person mounted there
 * by a recursive bind (the host's / with its /proc) is no link's doing. */
static int check_led(const char *path, int target, const struct runtime_tree *tree, struct err *e)
{
	if (!fd_is_of_kernel(target) && !is_dev(target, tree))
		return 0;
	own_fd int named = runtime_tree_open_unlinked(tree, path);
	if (named >= 0 && is_same_file(named, target))
		return 0;
	err_set(e, ERR_INVALID, "a link of the image leads it to a filesystem of the kernel");
	return err_hint(e, "name a path that is none, or the place itself");
}

static int open_followed(const struct runtime_mount *m, const struct runtime_tree *tree,
			 struct err *e)
{
	const char *path = m->spec->destination;
	own_fd int target = m->source_fd >= 0 && !m->is_folder
				    ? runtime_tree_make_file(tree, path, 0644, e)
				    : runtime_tree_make_dirs(tree, path, 0755, e);

	if (target < 0)
		return target;
	int r = check_led(path, target, tree, e);
	return r < 0 ? r : take_fd(&target);
}

int runtime_mount_target_open_in_child(const struct runtime_mount *m,
				       const struct runtime_mounts *all,
				       const struct runtime_tree *tree, struct err *e)
{
	if (is_of_system(m, all->guest))
		return open_system_target(m->spec->destination, tree, e);
	return m->options.dest_nofollow ? open_unfollowed(m, tree, e) : open_followed(m, tree, e);
}
