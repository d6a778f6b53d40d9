#include "runtime/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/device.h"
#include "runtime/mount.h"
#include "runtime/mount_label.h"
#include "runtime/tree.h"

struct covers {
	int null_fd;
	int empty_fd;      /* the tmpfs once it is attached somewhere, for its next clones */
	const char *label; /* of the tmpfs */
};

static void covers_close(struct covers *covers)
{
	if (covers->null_fd >= 0)
		close(covers->null_fd);
	if (covers->empty_fd >= 0)
		close(covers->empty_fd);
}

static int cover_file(struct covers *covers, const struct runtime_tree *tree, int target,
		      struct err *e)
{
	if (covers->null_fd < 0) {
		own_fd int fd = runtime_tree_open(tree, "/dev/null", O_PATH | O_NOFOLLOW);
		if (fd < 0)
			return err_number(e, -fd, "open /dev/null");
		if (!runtime_device_is_null(fd))
			return err_set(e, ERR_PERMISSION, "/dev/null is not the null device");
		covers->null_fd = take_fd(&fd);
	}
	own_fd int clone = runtime_mount_clone(covers->null_fd, e);
	return clone < 0 ? clone : runtime_mount_move(clone, target, e);
}

static int open_empty(const char *label, struct err *e)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "2", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0)
		return err_sys(e, "make an empty tmpfs");
	int r = runtime_mount_label_option(fs, label, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "make an empty tmpfs");
	int fd = fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				 MOUNT_ATTR_NOEXEC);
	return fd < 0 ? err_sys(e, "mount an empty tmpfs") : fd;
}

static int cover_folder(struct covers *covers, int target, struct err *e)
{
	if (covers->empty_fd >= 0) {
		own_fd int clone = runtime_mount_clone(covers->empty_fd, e);
		return clone < 0 ? clone : runtime_mount_move(clone, target, e);
	}
	own_fd int empty = open_empty(covers->label, e);
	if (empty < 0)
		return empty;
	int r = runtime_mount_move(empty, target, e);
	if (r == 0)
		covers->empty_fd = take_fd(&empty);
	return r;
}

static int mask(struct covers *covers, const struct runtime_tree *tree, const char *path,
		struct err *e)
{
	struct stat st;

	own_fd int target = runtime_tree_open(tree, path, O_PATH);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_number(e, -target, "open it");
	if (fstat(target, &st) < 0)
		return err_sys(e, "look at it");
	return S_ISDIR(st.st_mode) ? cover_folder(covers, target, e)
				   : cover_file(covers, tree, target, e);
}

int runtime_mask_paths_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				const char *label, struct err *e)
{
	own_clear(covers_close) struct covers covers = { .null_fd = -1,
							 .empty_fd = -1,
							 .label = label };
	const struct strv *paths = &spec->linux_.masked_paths;

	for (size_t i = 0; i < paths->count; i++) {
		int r = mask(&covers, tree, paths->items[i], e);
		if (r < 0)
			return err_add(e, "mask %s", paths->items[i]);
	}
	return 0;
}

static int make_readonly(const struct runtime_tree *tree, const char *path, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	own_fd int target = runtime_tree_open(tree, path, O_PATH);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_number(e, -target, "open it");
	own_fd int fd = open_tree(
		target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (fd < 0)
		return err_sys(e, "clone its mounts");
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "set the flag");
	return runtime_mount_move(fd, target, e);
}

/* A detached clone of what is there before a read-only path covers it; -1: nothing. */
static int open_writable(int *ret, const struct runtime_tree *tree, const char *path, struct err *e)
{
	own_fd int target = runtime_tree_open(tree, path, O_PATH);

	*ret = -1;
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_number(e, -target, "open %s", path);
	*ret = runtime_mount_clone(target, e);
	return *ret < 0 ? *ret : 0;
}

static int cover_writable(const struct runtime_tree *tree, const char *path, int clone,
			  struct err *e)
{
	own_fd int target = runtime_tree_open(tree, path, O_PATH);

	if (target < 0)
		return err_number(e, -target, "open %s", path);
	return runtime_mount_move(clone, target, e);
}

int runtime_mask_readonly_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				   struct err *e)
{
	const struct strv *paths = &spec->linux_.readonly_paths;
	const char *writable = shape_map_get(&spec->annotations, "org.holm.writable");
	own_fd int clone = -1;

	if (writable && open_writable(&clone, tree, writable, e) < 0)
		return -e->number;
	for (size_t i = 0; i < paths->count; i++) {
		int r = make_readonly(tree, paths->items[i], e);
		if (r < 0)
			return err_add(e, "make %s read-only", paths->items[i]);
	}
	return clone < 0 ? 0 : cover_writable(tree, writable, clone, e);
}

/* With what is mounted below. */
static int keep_writable(const struct runtime_tree *tree, const char *path, struct err *e)
{
	own_fd int target = runtime_tree_open(tree, path, O_PATH | O_DIRECTORY);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_number(e, -target, "open %s", path);
	own_fd int fd = open_tree(
		target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (fd < 0)
		return err_sys(e, "clone the mounts of %s", path);
	return runtime_mount_move(fd, target, e);
}

int runtime_mask_keep_writable_in_child(const struct oci_spec *spec,
					const struct runtime_tree *tree, struct err *e)
{
	const char *text = shape_map_get(&spec->annotations, "org.holm.rootfs.writable");
	own_clear(strv_clear) struct strv paths = { 0 };
	int r = 0;

	if (text)
		strv_split(&paths, text, ',');
	for (size_t i = 0; r == 0 && i < paths.count; i++)
		r = keep_writable(tree, paths.items[i], e);
	return r < 0 ? err_add(e, "org.holm.rootfs.writable") : 0;
}
