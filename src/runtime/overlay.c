#include "runtime/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/whiteout.h"
#include "runtime/clone.h"
#include "runtime/disk.h"
#include "runtime/disk_own.h"
#include "runtime/idmap_mount.h"
#include "runtime/mount.h"
#include "runtime/mount_label.h"
#include "runtime/overlay_fuse.h"
#include "runtime/overlay_lower.h"
#include "runtime/user_namespace.h"

/* ---- reading ---- */

int runtime_overlay_read(struct runtime_overlay *ret, const struct shape_map *annotations,
			 struct err *e)
{
	const char *lower = shape_map_get(annotations, "org.holm.rootfs.lower");
	if (!lower)
		return 0;
	int r = runtime_overlay_lower_read(ret, lower, e);
	if (r == 0)
		r = runtime_overlay_data_read(
			ret, shape_map_get(annotations, "org.holm.rootfs.data"), e);
	if (r < 0)
		return r;

	ret->upper = mem_text(shape_map_get(annotations, "org.holm.rootfs.upper"));
	ret->work = mem_text(shape_map_get(annotations, "org.holm.rootfs.work"));
	ret->disk = mem_text(shape_map_get(annotations, "org.holm.rootfs.disk"));
	ret->is_volatile =
		str_equal(shape_map_get(annotations, "org.holm.rootfs.volatile"), "true");
	if (!ret->upper != !ret->work)
		return err_set(e, ERR_INVALID,
			       "org.holm.rootfs.upper and .work: one is there without the other");
	if (ret->disk && !ret->upper)
		return err_set(e, ERR_INVALID, "org.holm.rootfs.disk: there is no .upper in it");
	return 0;
}

void runtime_overlay_clear(struct runtime_overlay *overlay)
{
	strv_clear(&overlay->lower);
	strv_clear(&overlay->data);
	for (size_t i = 0; i < overlay->owners.count; i++)
		runtime_idmap_clear(&overlay->owners.items[i].ids);
	free(overlay->owners.items);
	free(overlay->upper);
	free(overlay->work);
	free(overlay->disk);
	free(overlay->label);
	*overlay = (struct runtime_overlay){ 0 };
}

/* ---- the folders, as descriptors ---- */

enum { FOLDERS_MAX = 2 * RUNTIME_OVERLAY_LAYERS_MAX + 2, LINK_SIZE = 32 };

struct folders {
	int fd[FOLDERS_MAX]; /* the layers, then upper and work, then those with data alone */
	size_t count;
	size_t data; /* where the latter begin */
	int disk;    /* a detached mount; -1: none */
};
#define FOLDERS_NONE                                                                               \
	{                                                                                          \
		.disk = -1                                                                         \
	}

static void folders_close(struct folders *folders)
{
	for (size_t i = 0; i < folders->count; i++)
		close(folders->fd[i]);
	own_fd_call(&folders->disk);
}

/* Below the container's disk, if it has one and the path is none from the root on. */
static int folders_add(struct folders *folders, const char *path, struct err *e)
{
	int fd = openat(folders->disk < 0 ? AT_FDCWD : folders->disk, path,
			O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	folders->fd[folders->count++] = fd;
	return 0;
}

/* In place of the folder a detached mount of it, and if it is to show other ids than those on the
 * disk, that shows them. */
static int map_layer(int *folder, bool is_mount, struct runtime_user_namespace *user, struct err *e)
{
	int user_fd = user ? runtime_user_namespace_open_in_parent(user, e) : 0;

	if (user_fd < 0)
		return user_fd;
	int fd = is_mount ? *folder : runtime_mount_clone(*folder, e);
	if (fd < 0)
		return fd;
	if (!is_mount)
		close(*folder);
	*folder = fd;
	return user ? runtime_idmap_mount_in_parent(fd, user_fd, false, e) : 0;
}

/* A file is a disk image, and in its place stands its mount. 1: so it was. */
static int mount_disk(int *layer, struct err *e)
{
	struct stat st;

	if (fstat(*layer, &st) < 0)
		return err_sys(e, "look at a layer");
	if (!S_ISREG(st.st_mode))
		return 0;
	int fd = runtime_disk_mount_in_parent(*layer, false, e);
	if (fd < 0)
		return fd;
	close(*layer);
	*layer = fd;
	return 1;
}

/* Are there layers with other owners than those on the disk? Then all are mounts. */
static bool is_mapped(const struct runtime_overlay *overlay)
{
	return overlay->user || overlay->owners.count;
}

/* 1: it is a detached mount, made for nobody else. */
static int open_layer(int *ret, const struct runtime_overlay *overlay, size_t at, struct err *e)
{
	const struct runtime_overlay_owners *owners = runtime_overlay_owners_of(overlay, at);
	struct runtime_user_namespace shifted = RUNTIME_USER_NAMESPACE_INIT;
	struct runtime_user_namespace *user = overlay->user;

	own_fd int fd = open(overlay->lower.items[at], O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", overlay->lower.items[at]);
	if (owners)
		user = owners->ids.uids.count || owners->ids.gids.count ? &shifted : NULL;
	if (user == &shifted)
		shifted.ids = owners->ids; /* borrowed */
	int r = mount_disk(&fd, e);
	bool is_mount = r > 0;
	if (r >= 0)
		r = is_mapped(overlay) ? map_layer(&fd, is_mount, user, e) : 0;
	if (user == &shifted) {
		shifted.ids = (struct runtime_idmap){ 0 };
		runtime_user_namespace_clear(&shifted);
	}
	if (r < 0)
		return err_add(e, "layer %s", overlay->lower.items[at]);
	*ret = take_fd(&fd);
	return is_mount;
}

static int add_own(struct folders *folders, const char *path, struct runtime_user_namespace *user,
		   struct err *e)
{
	int r = folders_add(folders, path, e);

	if (r == 0 && user)
		r = runtime_user_namespace_give_in_parent(user, folders->fd[folders->count - 1], e);
	return r;
}

static int open_disk(struct folders *folders, const char *path, struct err *e)
{
	own_fd int file = open(path, O_PATH | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open %s", path);
	folders->disk = runtime_disk_own_mount_in_parent(file, e);
	return folders->disk < 0 ? err_add(e, "%s", path) : 0;
}

static int folders_open(struct folders *folders, const struct runtime_overlay *overlay,
			struct err *e)
{
	int r = overlay->disk ? open_disk(folders, overlay->disk, e) : 0;

	for (size_t i = 0; i < overlay->lower.count && r >= 0; i++) {
		r = open_layer(&folders->fd[i], overlay, i, e);
		folders->count += r >= 0;
	}
	if (r >= 0 && overlay->upper)
		r = add_own(folders, overlay->upper, overlay->user, e);
	if (r >= 0 && overlay->work)
		r = add_own(folders, overlay->work, overlay->user, e);
	folders->data = folders->count;
	for (size_t i = 0; i < overlay->data.count && r >= 0; i++)
		r = folders_add(folders, overlay->data.items[i], e);
	return r < 0 ? r : 0;
}

static void link_of(char to[LINK_SIZE], int fd)
{
	snprintf(to, LINK_SIZE, "/proc/self/fd/%d", fd);
}

/* ---- by fsconfig(2) ---- */

static int set_folder(int fs, const char *key, int folder)
{
	char link[LINK_SIZE];

	link_of(link, folder);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, link, 0);
}

/* The kernel takes at most 255 bytes in one value, before 6.5 also of all layers together. */
enum { VALUE_MAX = 255 };

static void list_layers(struct str *to, const struct folders *folders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		str_addf(to, "%s/proc/self/fd/%d", i ? ":" : "", folders->fd[i]);
	for (size_t i = folders->data; i < folders->count; i++)
		str_addf(to, "::/proc/self/fd/%d", folders->fd[i]);
}

/* Few in one value; many one by one, below those that are there ("lowerdir+", Linux 6.5). */
static int set_layers(int fs, const struct folders *folders, size_t count)
{
	own_clear(str_clear) struct str all = { 0 };
	int r = 0;

	list_layers(&all, folders, count);
	if (all.length <= VALUE_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", all.text, 0);
	for (size_t i = 0; i < count && r == 0; i++)
		r = set_folder(fs, "lowerdir+", folders->fd[i]);
	for (size_t i = folders->data; i < folders->count && r == 0; i++)
		r = set_folder(fs, "datadir+", folders->fd[i]);
	return r;
}

/* An upper folder is to be a layer by itself, whatever the host's defaults are: no folder in it
 * that points to one below by its old name, no file that has its bytes there (overlayfs(5),
 * "redirect_dir", "metadata only copy up"). With userxattr there is neither. */
static const struct {
	const char *key, *value;
} whole_upper[] = { { "redirect_dir", "off" }, { "metacopy", "off" } };

static int forbid_references(int fs, const struct runtime_overlay *overlay, struct err *e)
{
	if (!overlay->upper || runtime_user_namespace_is_inner())
		return 0;
	for (size_t i = 0; i < COUNT_OF(whole_upper); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, whole_upper[i].key, whole_upper[i].value, 0) <
		    0)
			return runtime_mount_error(e, fs, "overlay option %s", whole_upper[i].key);
	return 0;
}

static int configure(int fs, const struct runtime_overlay *overlay, const struct folders *folders,
		     struct err *e)
{
	size_t count = overlay->lower.count;

	if (set_layers(fs, folders, count) < 0)
		return runtime_mount_error(e, fs, "overlay of %zu layers", count);
	if (overlay->upper && (set_folder(fs, "upperdir", folders->fd[count]) < 0 ||
			       set_folder(fs, "workdir", folders->fd[count + 1]) < 0))
		return runtime_mount_error(e, fs, "overlay upper folder %s", overlay->upper);
	if (overlay->upper && overlay->is_volatile &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return runtime_mount_error(e, fs, "overlay option volatile");
	/* overlayfs' own attributes are "trusted." ones, which only the first user namespace may
	 * write; elsewhere they are "user." ones (overlayfs(5), Linux 5.11) */
	if (runtime_user_namespace_is_inner() &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return runtime_mount_error(e, fs, "overlay option userxattr");
	fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	int r = forbid_references(fs, overlay, e);
	if (r == 0)
		r = runtime_mount_label_option(fs, overlay->label, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, fs, "mount an overlay of %zu layers", count);
	return 0;
}

/* ---- by mount(2) ---- */

static void option_string(struct str *to, const struct runtime_overlay *overlay,
			  const struct folders *folders)
{
	size_t count = overlay->lower.count;

	str_add(to, "lowerdir=");
	list_layers(to, folders, count);
	if (overlay->upper)
		str_addf(to, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s",
			 folders->fd[count], folders->fd[count + 1],
			 overlay->is_volatile ? ",volatile" : "");
	if (runtime_user_namespace_is_inner())
		str_add(to, ",userxattr");
	else if (overlay->upper)
		for (size_t i = 0; i < COUNT_OF(whole_upper); i++)
			str_addf(to, ",%s=%s", whole_upper[i].key, whole_upper[i].value);
	if (overlay->label) {
		/* quoted: there are commas between the categories of a label */
		const char *value = strchr(overlay->label, '=') + 1;
		str_addf(to, ",%.*s\"%s\"", (int)(value - overlay->label), overlay->label, value);
	}
}

static int attach_at(int dir_fd, const char *name, int mount_fd, struct err *e)
{
	if (mkdirat(dir_fd, name, 0700) < 0 ||
	    move_mount(mount_fd, "", dir_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "attach a layer");
	return 0;
}

/* Kernels before 6.15 take no layer on a detached mount: in the helper's mount namespace the mapped
 * ones, and the disk, are attached to folders 0, 1... of a tmpfs on scratch. What is below it is
 * open already. */
static int attach_layers(struct folders *folders, size_t count, const char *scratch, struct err *e)
{
	char name[16];
	int r = 0;

	if (mount("tmpfs", scratch, "tmpfs", 0, "mode=700") < 0)
		return err_sys(e, "mount a tmpfs for the layers");
	own_fd int dir = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open the tmpfs for the layers");
	for (size_t i = 0; r == 0 && i < count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		r = attach_at(dir, name, folders->fd[i], e);
	}
	return r < 0 || folders->disk < 0 ? r : attach_at(dir, "disk", folders->disk, e);
}

/* In a mount namespace of its own; the folders must be opened there, overlayfs refuses others'. */
static int mount_in_helper(const struct runtime_overlay *overlay, const char *scratch,
			   struct err *e)
{
	own_clear(folders_close) struct folders folders = FOLDERS_NONE;
	own_clear(str_clear) struct str text = { 0 };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make all mounts private");
	int r = folders_open(&folders, overlay, e);
	if (r < 0)
		return r;
	if (is_mapped(overlay) || overlay->disk)
		r = attach_layers(&folders, is_mapped(overlay) ? overlay->lower.count : 0, scratch,
				  e);
	if (r < 0)
		return r;
	option_string(&text, overlay, &folders);
	if (text.length >= (size_t)sysconf(_SC_PAGESIZE))
		return err_set(e, ERR_UNSUPPORTED, "%zu layers are too many for this kernel",
			       overlay->lower.count);
	if (mount("overlay", scratch, "overlay", 0, text.text) < 0)
		return err_sys(e, "mount an overlay of %zu layers", overlay->lower.count);
	int fd = open_tree(AT_FDCWD, scratch, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? err_sys(e, "clone the overlay mount") : fd;
}

struct helper_answer {
	int fd; /* the mount, or a negative errno */
	struct err error;
};

int runtime_overlay_mount_by(runtime_overlay_helper *helper, const struct runtime_overlay *overlay,
			     const char *scratch, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];

	/* CLONE_FILES: the descriptor that the helper opens is this process's, too */
	pid_t pid = runtime_clone(CLONE_NEWNS | CLONE_FILES, -1, NULL);
	if (pid < 0)
		return err_number(e, -pid, "start a process to mount the overlay");
	struct helper_answer answer = { 0 };
	if (pid == 0) {
		answer.fd = helper(overlay, scratch, &answer.error);
		_exit(write(writing, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
	}
	int status = process_wait(pid);
	if (status != 0 || read(reading, &answer, sizeof(answer)) != sizeof(answer))
		return err_set(e, ERR_INTERNAL, "the process that mounts the overlay failed");
	if (answer.fd < 0)
		*e = answer.error;
	return answer.fd;
}

int runtime_overlay_mount_by_option_string(const struct runtime_overlay *overlay,
					   const char *scratch, struct err *e)
{
	return runtime_overlay_mount_by(mount_in_helper, overlay, scratch, e);
}

/* overlayfs wants two layers where there is no upper: one alone is bound instead. */
static int bind_layer(const struct runtime_overlay *overlay, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	const char *path = overlay->lower.items[0];
	int layer;

	int r = open_layer(&layer, overlay, 0, e);
	if (r < 0)
		return r;
	own_fd int fd = layer;
	r = is_mapped(overlay) ? 0 : map_layer(&fd, r > 0, NULL, e);
	if (r < 0)
		return err_add(e, "%s", path);
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make %s read-only", path);
	return take_fd(&fd);
}

/* A volatile mount marks its work folder, as dirty from then on, before it is sure to succeed
 * (overlayfs(5), "Volatile mount"). */
static bool is_marked_volatile(const struct runtime_overlay *overlay, const struct folders *folders)
{
	return overlay->is_volatile && overlay->work &&
	       faccessat(folders->fd[overlay->lower.count + 1], "work/incompat", F_OK, 0) == 0;
}

/* The mark of a mount that failed says nothing, and would forbid the next. */
static void unmark_volatile(const struct runtime_overlay *overlay, const struct folders *folders)
{
	struct err still_there; /* then the next mount is refused, and that is told */

	if (!overlay->is_volatile || !overlay->work)
		return;
	own_fd int work = openat(folders->fd[overlay->lower.count + 1], "work",
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work >= 0)
		fd_remove_tree_at(work, "incompat", &still_there);
}

static int mount_native(const struct runtime_overlay *overlay, const char *scratch, struct err *e)
{
	own_clear(folders_close) struct folders folders = FOLDERS_NONE;

	bool bound = overlay->lower.count == 1 && !overlay->upper && !overlay->data.count;

	if (bound && overlay->label)
		return err_set(e, ERR_UNSUPPORTED,
			       "linux.mountLabel: one layer without an upper folder keeps the "
			       "labels that its files have");
	if (bound)
		return bind_layer(overlay, e);
	own_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0) {
		err_sys(e, "open the overlay filesystem");
		return err_hint(e, e->number == ENODEV
					   ? "the kernel needs CONFIG_OVERLAY_FS (modprobe overlay)"
					   : "it takes CAP_SYS_ADMIN, and no seccomp filter that "
					     "forbids fsopen(2)");
	}
	int r = folders_open(&folders, overlay, e);
	if (r < 0)
		return r;
	bool marked = is_marked_volatile(overlay, &folders);
	r = configure(fs, overlay, &folders, e);
	/* before 6.5 any key is taken, and the whole refused at the end; before 6.15 a layer on a
	 * detached mount is */
	if (r == -EINVAL && (overlay->lower.count > 1 || is_mapped(overlay) || overlay->disk)) {
		if (!marked)
			unmark_volatile(overlay, &folders);
		r = runtime_overlay_mount_by_option_string(overlay, scratch, e);
	}
	if (r == -EINVAL && marked)
		return err_hint(e, "an upper folder that was mounted volatile before is refused "
				   "until work/incompat in its work folder is removed");
	if (r != 0)
		return r;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "mount the overlay") : fd;
}

/* Layers that overlayfs would misread (oci/whiteout.h): a user's, on a filesystem of that kind. */
static bool has_names(const struct runtime_overlay *overlay)
{
	bool has = false;

	for (size_t i = 0; !has && i < overlay->lower.count; i++) {
		own_fd int fd = open(overlay->lower.items[i],
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		has = fd >= 0 && oci_whiteout_is_by_names(fd);
	}
	return has;
}

static int mount_names(const struct runtime_overlay *overlay, const char *scratch, struct err *e)
{
	const char *why;

	if (runtime_overlay_fuse_may(&why))
		return runtime_overlay_fuse_mount_in_parent(overlay, scratch, e);
	err_set(e, ERR_UNSUPPORTED, "its layers are for fuse-overlayfs alone: %s", why);
	return err_hint(e,
			"--root DIR (or HOLM_ROOT) on ext4, xfs, btrfs has layers for overlayfs");
}

/* Only an upper folder asks much of its filesystem; root of the host's user namespace has overlayfs
 * or nothing. */
int runtime_overlay_mount_in_parent(const struct runtime_overlay *overlay, const char *scratch,
				    struct err *e)
{
	const char *why;

	if (runtime_user_namespace_is_inner() && has_names(overlay))
		return mount_names(overlay, scratch, e);
	int r = mount_native(overlay, scratch, e);
	if (r >= 0 || !overlay->upper || overlay->data.count ||
	    !runtime_user_namespace_is_inner() || (r != -EINVAL && r != -EOPNOTSUPP))
		return r;
	if (runtime_overlay_fuse_may(&why))
		return runtime_overlay_fuse_mount_in_parent(overlay, scratch, e);
	return err_hint(e,
			"the filesystem of %s may not be one that overlayfs can write to, and of "
			"fuse-overlayfs: %s; --root DIR (or HOLM_ROOT) on ext4, xfs, btrfs does it",
			overlay->upper, why);
}

bool runtime_overlay_takes_data(const char *folder, const char *other)
{
	own_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	own_free char *text = mem_format("%s::%s", folder, other);

	return fs >= 0 && strlen(text) <= VALUE_MAX &&
	       fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", text, 0) == 0 &&
	       fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == 0 &&
	       fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
}
