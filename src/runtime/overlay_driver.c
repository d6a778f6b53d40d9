#include "runtime/overlay_driver.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/overlay.h"

static const char *const names[] = { "lower", "upper", "work", "at" };

static int make_folders(int folder_fd, const char *name, struct err *e)
{
	if (mkdirat(folder_fd, name, 0700) < 0)
		return err_sys(e, "make the folder %s", name);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		own_free char *path = mem_format("%s/%s", name, names[i]);
		if (mkdirat(folder_fd, path, 0700) < 0)
			return err_sys(e, "make the folder %s", path);
	}
	return 0;
}

/* The mount, as that of a container. */
static int mount_one(int folder_fd, const char *name, struct err *e)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	own_free char *folder = mem_format("/proc/self/fd/%d", folder_fd);
	char real[4096];

	ssize_t n = readlinkat(AT_FDCWD, folder, real, sizeof(real) - 1);
	if (n < 0)
		return err_sys(e, "find the folder");
	real[n] = '\0';
	strv_add_take(&overlay.lower, mem_format("%s/%s/lower", real, name));
	overlay.upper = mem_format("%s/%s/upper", real, name);
	overlay.work = mem_format("%s/%s/work", real, name);
	own_free char *at = mem_format("%s/%s/at", real, name);
	return runtime_overlay_mount_in_parent(&overlay, at, e);
}

static const char *find(int folder_fd, const char *name, struct err *e)
{
	struct statfs fs;

	if (make_folders(folder_fd, name, e) < 0)
		return NULL;
	own_fd int fd = mount_one(folder_fd, name, e);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return NULL;
	return fs.f_type == OVERLAYFS_SUPER_MAGIC ? "overlay" : "fuse-overlayfs";
}

const char *runtime_overlay_driver(int folder_fd, struct err *e)
{
	own_free char *name = mem_format(".overlay-%d", (int)getpid());
	struct err ignored;

	const char *driver = find(folder_fd, name, e);
	fd_remove_tree_at(folder_fd, name, &ignored);
	return driver;
}
