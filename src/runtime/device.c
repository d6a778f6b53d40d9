#include "runtime/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/mount.h"
#include "runtime/tree.h"

/* Linux Documentation/admin-guide/devices.txt */
static const struct {
	const char *path;
	unsigned major, minor;
} standard[] = {
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *name;
	const char *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/core", "/proc/kcore" },
};

/* ---- in the parent ---- */

static int type_of(mode_t *ret, const struct oci_device *d, struct err *e)
{
	const char *type = d->type ? d->type : "";

	if (strcmp(type, "c") == 0 || strcmp(type, "u") == 0)
		*ret = S_IFCHR;
	else if (strcmp(type, "b") == 0)
		*ret = S_IFBLK;
	else if (strcmp(type, "p") == 0)
		*ret = S_IFIFO;
	else
		return err_set(e, ERR_INVALID, "type '%s' is none of c, u, b, p", type);
	return 0;
}

/* makedev(3): 12 bits and 20 bits are what the kernel takes */
static int read_device(struct runtime_device *ret, const struct oci_device *d, struct err *e)
{
	mode_t type = 0;

	if (!d->path || *d->path != '/')
		return err_set(e, ERR_INVALID, "path is not absolute");
	int r = type_of(&type, d, e);
	if (r < 0)
		return r;
	if (type != S_IFIFO &&
	    (d->major < 0 || d->major > 0xfff || d->minor < 0 || d->minor > 0xfffff))
		return err_set(e, ERR_INVALID, "major and minor: %lld:%lld is no device number",
			       (long long)d->major, (long long)d->minor);
	/* podman and containerd write st_mode whole, the type of the file with it */
	uint64_t mode = d->file_mode ? *d->file_mode : 0666;
	if ((mode & S_IFMT) == type)
		mode &= ~(uint64_t)S_IFMT;
	if (mode > 07777 || (d->uid && *d->uid >= UINT32_MAX) || (d->gid && *d->gid >= UINT32_MAX))
		return err_set(e, ERR_INVALID, "fileMode, uid or gid is out of range");
	ret->path = d->path;
	ret->mode = type | (mode_t)mode;
	ret->device = type == S_IFIFO ? 0 : makedev((unsigned)d->major, (unsigned)d->minor);
	ret->uid = d->uid ? (uid_t)*d->uid : 0;
	ret->gid = d->gid ? (gid_t)*d->gid : 0;
	return 0;
}

static int open_source(struct runtime_device *d, struct err *e)
{
	struct stat st;

	if (S_ISFIFO(d->mode))
		return 0;
	own_fd int node = open(d->path, O_PATH | O_CLOEXEC);
	if (node < 0 || fstat(node, &st) < 0)
		return err_sys(e, "open the host's");
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || st.st_rdev != d->device)
		return err_set(e, ERR_INVALID, "the host has another device there");
	int fd = runtime_mount_clone(node, e);
	if (fd < 0)
		return fd;
	d->source_fd = fd;
	return 0;
}

static int add(struct runtime_devices *ret, const struct runtime_device *device, bool bind,
	       struct err *e)
{
	struct runtime_device *d = &ret->items[ret->count++];

	*d = *device;
	d->source_fd = -1;
	return bind ? open_source(d, e) : 0;
}

static bool names(const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->linux_.devices.count; i++)
		if (spec->linux_.devices.items[i].path &&
		    strcmp(spec->linux_.devices.items[i].path, path) == 0)
			return true;
	return false;
}

int runtime_device_open_in_parent(struct runtime_devices *ret, const struct oci_spec *spec,
				  bool bind, struct err *e)
{
	ret->items = mem_new(COUNT_OF(standard) + spec->linux_.devices.count, sizeof(*ret->items));
	for (size_t i = 0; i < COUNT_OF(standard); i++) {
		struct runtime_device device = {
			.path = standard[i].path,
			.mode = S_IFCHR | 0666,
			.device = makedev(standard[i].major, standard[i].minor),
		};
		if (!names(spec, device.path) && add(ret, &device, bind, e) < 0)
			return err_add(e, "device %s", device.path);
	}
	for (size_t i = 0; i < spec->linux_.devices.count; i++) {
		const struct oci_device *d = &spec->linux_.devices.items[i];
		struct runtime_device device = { 0 };
		if (read_device(&device, d, e) < 0) {
			err_add(e, "device %s", d->path ? d->path : "");
			return err_add(e, "linux.devices[%zu]", i);
		}
		if (add(ret, &device, bind, e) < 0)
			return err_add(e, "device %s", d->path);
	}
	return 0;
}

void runtime_device_clear(struct runtime_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->items[i].source_fd >= 0)
			close(devices->items[i].source_fd);
	free(devices->items);
	*devices = (struct runtime_devices){ 0 };
}

/* ---- in the child ---- */

static int bind_node(const struct runtime_device *d, int dir, const char *name, struct err *e)
{
	own_fd int made =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (made < 0 && errno != EEXIST)
		return err_sys(e, "make a file to bind it to");
	own_fd int target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return err_sys(e, "open the file to bind it to");
	return runtime_mount_move(d->source_fd, target, e);
}

static int make_node(const struct runtime_device *d, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (d->source_fd >= 0)
		return bind_node(d, dir, name, e);
	if (mknodat(dir, name, d->mode, d->device) == 0) {
		if ((d->uid || d->gid) &&
		    fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "give it to its owner");
		return 0;
	}
	if (errno != EEXIST)
		return err_sys(e, "make the node");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at what is there");
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || st.st_rdev != d->device)
		return err_set(e, ERR_EXISTS, "something else is there");
	return 0;
}

static int make_link(const struct runtime_tree *tree, const char *path, const char *target,
		     struct err *e)
{
	own_free char *last = NULL;
	own_fd int dir = runtime_tree_open_parent(tree, path, &last, e);

	if (dir < 0)
		return dir;
	if (symlinkat(target, dir, last) < 0 && errno != EEXIST)
		return err_sys(e, "link %s", path);
	return 0;
}

int runtime_device_make_one_in_child(const struct runtime_device *device,
				     const struct runtime_tree *tree, struct err *e)
{
	own_free char *last = NULL;
	own_fd int dir = runtime_tree_open_parent(tree, device->path, &last, e);

	return dir < 0 ? dir : make_node(device, dir, last, e);
}

int runtime_device_make_in_child(const struct runtime_devices *devices,
				 const struct runtime_tree *tree, struct err *e)
{
	for (size_t i = 0; i < devices->count; i++)
		if (runtime_device_make_one_in_child(&devices->items[i], tree, e) < 0)
			return err_add(e, "device %s", devices->items[i].path);
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		int r = make_link(tree, links[i].name, links[i].target, e);
		if (r < 0)
			return r;
	}
	if (runtime_tree_mount_of_type(tree, "devpts"))
		return make_link(tree, "/dev/ptmx", "pts/ptmx", e);
	return 0;
}

bool runtime_device_is_standard(const char *path, dev_t device)
{
	for (size_t i = 0; i < COUNT_OF(standard); i++)
		if (strcmp(standard[i].path, path) == 0 &&
		    makedev(standard[i].major, standard[i].minor) == device)
			return true;
	return false;
}

bool runtime_device_is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}
