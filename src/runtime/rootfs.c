#include "runtime/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/disk.h"
#include "runtime/idmap_mount.h"
#include "runtime/mount_label.h"
#include "runtime/overlay.h"
#include "runtime/user_namespace.h"
#include "runtime/word.h"

static int open_folder(const char *path, struct err *e)
{
	struct stat st;
	own_fd int folder = open(path, O_PATH | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &st) < 0)
		return err_sys(e, "open %s", path);
	if (S_ISREG(st.st_mode)) /* a disk image */
		return runtime_disk_mount_in_parent(folder, true, e);
	int fd = open_tree(folder, "",
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	return fd < 0 ? err_sys(e, "clone the mounts of %s", path) : fd;
}

/* NULL: there is none. The caller frees it. */
static char *root_path(const struct oci_spec *spec, const char *bundle)
{
	if (!spec->root || str_empty(spec->root->path))
		return NULL;
	return *spec->root->path == '/' ? mem_text(spec->root->path)
					: path_join(bundle, spec->root->path);
}

static int open_plain(const struct oci_spec *spec, const char *bundle, struct err *e)
{
	own_free char *path = root_path(spec, bundle);

	if (!path)
		return err_set(e, ERR_INVALID, "the spec has no root.path");
	return open_folder(path, e);
}

static const struct runtime_word propagations[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ 0 },
};

/* runtime-spec v1.3 config-linux.md#rootfs-mount-propagation; "rshared" and so on as for mounts.
 * Private where nothing is said, as with crun. */
static int read_propagation(uint64_t *ret, bool *all, const struct oci_spec *spec, struct err *e)
{
	const char *text = spec->linux_.rootfs_propagation;

	*ret = MS_PRIVATE;
	*all = text && *text == 'r';
	if (str_empty(text))
		return 0;
	return runtime_word_find(ret, propagations, text + *all, "linux.rootfsPropagation", e);
}

/* Layers, or a plain folder alone: what is mounted below one is as it is. */
static int open_root(const struct oci_spec *spec, const char *bundle,
		     struct runtime_user_namespace *user, struct err *e)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };

	int r = runtime_overlay_read(&overlay, &spec->annotations, e);
	if (r < 0)
		return r;
	overlay.user = user;
	r = overlay.lower.count ? runtime_mount_label_read(&overlay.label, spec, e) : 0;
	if (r < 0)
		return r;
	if (overlay.lower.count)
		return runtime_overlay_mount_in_parent(&overlay, bundle, e);
	own_fd int fd = open_plain(spec, bundle, e);
	if (fd < 0 || !user)
		return take_fd(&fd);
	int user_fd = runtime_user_namespace_open_in_parent(user, e);
	r = user_fd < 0 ? user_fd : runtime_idmap_mount_in_parent(fd, user_fd, false, e);
	return r < 0 ? r : take_fd(&fd);
}

int runtime_rootfs_open_in_parent(const struct oci_spec *spec, const char *bundle,
				  struct runtime_user_namespace *user, struct err *e)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	const char *mapped = shape_map_get(&spec->annotations, "org.holm.rootfs.idmap");
	uint64_t wanted = 0;
	bool all;

	int r = read_propagation(&wanted, &all, spec, e);
	if (r < 0)
		return r;
	own_fd int fd = open_root(spec, bundle, str_equal(mapped, "true") ? user : NULL, e);
	if (fd < 0)
		return err_add(e, "root filesystem");

	/* a slave gets what the host mounts below it later; it must not have been private before */
	if (wanted == MS_SLAVE)
		attr.propagation = MS_SLAVE;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "cut the root filesystem's mounts off the host's");
	return take_fd(&fd);
}

int runtime_rootfs_isolate_in_child(struct err *e)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0) {
		err_sys(e, "make all mounts private");
		return e->number == EINVAL ? err_hint(e, "holm's own root must be a mount, it "
							 "cannot run in a bare chroot")
					   : -e->number;
	}
	return 0;
}

int runtime_rootfs_attach_in_child(int rootfs_fd, struct err *e)
{
	if (move_mount(rootfs_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "attach the root filesystem");
	return 0;
}

int runtime_rootfs_attach_at_path_in_child(int rootfs_fd, const struct oci_spec *spec,
					   const char *bundle, struct err *e)
{
	own_free char *path = root_path(spec, bundle);
	own_fd int fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return runtime_rootfs_attach_in_child(rootfs_fd, e);
	if (move_mount(rootfs_fd, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
	    0)
		return err_sys(e, "attach the root filesystem at %s", path);
	return 0;
}

/* Without pivot_root(2) the host's mounts stay below ours. Its procfs and sysfs must not: the
 * kernel lets a user namespace mount new ones, without masks, where full ones can be seen. */
static int forget_kernel_mounts(struct err *e)
{
	own_clear(strv_clear) struct strv folders = { 0 };

	FILE *mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return err_sys(e, "open /proc/self/mounts");
	for (struct mntent *m; (m = getmntent(mounts));)
		if (str_equal(m->mnt_type, "proc") || str_equal(m->mnt_type, "sysfs"))
			strv_add(&folders, m->mnt_dir);
	endmntent(mounts);
	for (size_t i = folders.count; i > 0; i--)
		if (umount2(folders.items[i - 1], MNT_DETACH) < 0 && errno != EINVAL)
			return err_sys(e, "unmount the host's %s", folders.items[i - 1]);
	return 0;
}

int runtime_rootfs_enter_in_child(int rootfs_fd, struct err *e)
{
	int r = forget_kernel_mounts(e);

	if (r < 0)
		return r;
	if (fchdir(rootfs_fd) < 0 || chroot(".") < 0)
		return err_sys(e, "change into the root filesystem");
	return 0;
}

int runtime_rootfs_pivot_in_child(int rootfs_fd, struct err *e)
{
	if (fchdir(rootfs_fd) < 0)
		return err_sys(e, "change into the root filesystem");
	/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one */
	if (syscall(SYS_pivot_root, ".", ".") < 0) {
		err_sys(e, "pivot into the root filesystem");
		return e->number == EINVAL ? err_hint(e, "pivot_root(2) cannot leave an initial "
							 "ramdisk")
					   : -e->number;
	}
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "let go of the host's root filesystem");
	if (chdir("/") < 0)
		return err_sys(e, "change to /");
	return 0;
}

/* A new peer group, or unbindable; the others it is already, and mounts with a propagation of their
 * own keep that. */
static int set_propagation(int rootfs_fd, const struct oci_spec *spec, struct err *e)
{
	struct mount_attr attr = { 0 };
	uint64_t wanted = 0;
	bool all;

	int r = read_propagation(&wanted, &all, spec, e);
	if (r < 0 || wanted == MS_PRIVATE || wanted == MS_SLAVE)
		return r;
	attr.propagation = wanted;
	if (mount_setattr(rootfs_fd, "", AT_EMPTY_PATH | (all ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0)
		return err_sys(e, "make the root filesystem %s", spec->linux_.rootfs_propagation);
	return 0;
}

int runtime_rootfs_finish_in_child(int rootfs_fd, const struct oci_spec *spec, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	int r = set_propagation(rootfs_fd, spec, e);
	if (r < 0)
		return r;
	if (spec->root && spec->root->readonly &&
	    mount_setattr(rootfs_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make the root filesystem read-only");
	return 0;
}
