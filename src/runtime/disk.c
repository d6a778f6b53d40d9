#include "runtime/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/loop.h"
#include "runtime/mount.h"
#include "runtime/partition.h"

enum { LINK_SIZE = 32 };

static int read_file(void *context, uint64_t offset, void *to, size_t length, struct err *e)
{
	ssize_t n = pread(*(int *)context, to, length, (off_t)offset);

	if (n < 0)
		return err_sys(e, "read the disk image");
	return (size_t)n == length ? 0 : err_set(e, ERR_CORRUPT, "the disk image became shorter");
}

static int find(struct runtime_partition *ret, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at the disk image");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "it is not a file");
	const struct runtime_partition_disk disk = { read_file, &fd, (uint64_t)st.st_size };
	return runtime_partition_find(ret, &disk, e);
}

int runtime_disk_check(const char *path, struct err *e)
{
	struct runtime_partition partition;

	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open it");
	return find(&partition, fd, e);
}

/* ---- the mount ---- */

static int set_options(int fs, const struct runtime_partition *p, const char *device, bool writable,
		       struct err *e)
{
	bool ext4 = str_equal(p->filesystem, "ext4");

	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) < 0)
		return runtime_mount_error(e, fs, "mount %s", device);
	if (!writable && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return runtime_mount_error(e, fs, "option ro");
	/* what the image says is to happen when the kernel finds an error may be a panic */
	if (ext4 && fsconfig(fs, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) < 0)
		return runtime_mount_error(e, fs, "option errors");
	if (ext4 && !writable && fsconfig(fs, FSCONFIG_SET_FLAG, "noload", NULL, 0) < 0)
		return runtime_mount_error(e, fs, "option noload");
	return 0;
}

static int mount_device(const struct runtime_partition *p, const char *device, bool writable,
			struct err *e)
{
	unsigned attributes = MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY);

	own_fd int fs = fsopen(p->filesystem, FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(e, "this kernel has no %s", p->filesystem);
	int r = set_options(fs, p, device, writable, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, fs, "mount its %s", p->filesystem);
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? err_sys(e, "mount its %s", p->filesystem) : fd;
}

int runtime_disk_mount_in_parent(int file_fd, bool writable, struct err *e)
{
	struct runtime_partition partition = { 0 };
	char device[RUNTIME_LOOP_PATH], self[LINK_SIZE];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file_fd);
	own_fd int fd = open(self, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the disk image");
	int r = find(&partition, fd, e);
	if (r == 0 && writable && !str_equal(partition.filesystem, "ext4"))
		r = err_set(e, ERR_UNSUPPORTED, "%s cannot be written to", partition.filesystem);
	if (r < 0)
		return r;
	const struct runtime_loop_part part = { partition.offset, partition.size, writable };
	own_fd int loop = runtime_loop_attach(device, fd, &part, e);
	return loop < 0 ? loop : mount_device(&partition, device, writable, e);
}
