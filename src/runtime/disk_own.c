#include "runtime/disk_own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "runtime/loop.h"
#include "runtime/mount.h"

/* Linux: fs/ext4/ext4.h; no header for programs has it. */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

static int open_again(int file_fd, struct err *e)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file_fd);
	int fd = open(self, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the container's disk") : fd;
}

/* What is deleted in it becomes a hole in the file again ("discard"). Of a filesystem that is
 * mounted already the options stay as they are. */
static int mount_device(const char *device, struct err *e)
{
	own_fd int fs = fsopen("ext4", FSOPEN_CLOEXEC);
	if (fs < 0) {
		err_sys(e, "this kernel has no ext4");
		return err_hint(e, "modprobe ext4");
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "discard", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, fs, "mount the container's disk from %s", device);
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	return fd < 0 ? err_sys(e, "mount the container's disk") : fd;
}

/* The lock is not the file's that the device keeps: it would be held as long. */
int runtime_disk_own_mount_in_parent(int file_fd, struct err *e)
{
	static const struct runtime_loop_part all = { .writable = true };
	char device[RUNTIME_LOOP_PATH];

	own_fd int lock = open_again(file_fd, e);
	own_fd int file = lock < 0 ? -1 : open_again(file_fd, e);
	if (file < 0)
		return file;
	if (flock(lock, LOCK_EX) < 0)
		return err_sys(e, "lock the container's disk");
	own_fd int loop = runtime_loop_find(device, file);
	if (loop < 0)
		loop = runtime_loop_attach(device, file, &all, e);
	return loop < 0 ? loop : mount_device(device, e);
}

int runtime_disk_own_grow(int file_fd, int mount_fd, uint64_t bytes, struct err *e)
{
	char device[RUNTIME_LOOP_PATH];
	struct statfs fs;

	own_fd int file = open_again(file_fd, e);
	if (file < 0)
		return file;
	own_fd int loop = runtime_loop_find(device, file);
	if (loop < 0)
		return err_set(e, ERR_STATE, "the container's disk is on no loop device");
	own_fd int root = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstatfs(root, &fs) < 0)
		return err_sys(e, "look at the container's disk");
	uint64_t blocks = bytes / (uint64_t)fs.f_bsize;
	if (ftruncate(file, (off_t)bytes) < 0)
		return err_sys(e, "make the container's disk longer");
	if (ioctl(loop, LOOP_SET_CAPACITY, 0) < 0)
		return err_sys(e, "make %s larger", device);
	if (ioctl(root, EXT4_IOC_RESIZE_FS, &blocks) < 0) {
		err_sys(e, "make the container's filesystem larger");
		return e->number == EPERM ? err_hint(e, "it takes CAP_SYS_RESOURCE; a container "
							"that is stopped is resized without")
					  : -e->number;
	}
	return 0;
}
