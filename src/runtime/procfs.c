#include "runtime/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"

/* The root folder of every procfs, fs/proc/root.c. */
#define PROCFS_ROOT_INODE 1

int runtime_procfs_check(int fd, struct err *e)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "look at /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROCFS_ROOT_INODE)
		return err_set(e, ERR_PERMISSION, "/proc is not a procfs");
	return 0;
}

static int procfs_mount(void)
{
	own_fd int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int mount = fsmount(fs, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	return mount < 0 ? -errno : mount;
}

int runtime_procfs_open(struct err *e)
{
	int mount = procfs_mount();

	if (mount >= 0)
		return mount;
	own_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /proc");
	int r = runtime_procfs_check(fd, e);
	return r < 0 ? r : take_fd(&fd);
}

int runtime_procfs_write(int proc_fd, const char *path, const char *text, struct err *e)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};

	own_fd int fd = (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	if (fd < 0)
		return err_sys(e, "open /proc/%s", path);
	int r = fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_number(e, -r, "write \"%s\" to /proc/%s", text, path) : 0;
}
