#include "runtime/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum { TRIES = 64, NAME_MAX_BYTES = 16 };

static int no_loop_devices(struct err *e, const char *what)
{
	err_sys(e, "%s", what);
	return err_hint(e, "disk images need loop devices: modprobe loop");
}

/* Whoever was faster has the free one: then there is another (EBUSY). */
int runtime_loop_attach(char path[RUNTIME_LOOP_PATH], int file_fd,
			const struct runtime_loop_part *part, struct err *e)
{
	const struct loop_config config = {
		.fd = (uint32_t)file_fd,
		.info = { .lo_offset = part->offset,
			  .lo_sizelimit = part->size,
			  .lo_flags = (uint32_t)(LO_FLAGS_AUTOCLEAR |
						 (part->writable ? 0 : LO_FLAGS_READ_ONLY)) },
	};

	own_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return no_loop_devices(e, "open /dev/loop-control");
	for (int i = 0; i < TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			return err_sys(e, "find a free loop device");
		snprintf(path, RUNTIME_LOOP_PATH, "/dev/loop%d", number);
		own_fd int fd = open(path, (part->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (fd < 0)
			return no_loop_devices(e, path);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
			return take_fd(&fd);
		if (errno != EBUSY)
			return err_sys(e, "attach it to %s", path);
	}
	return err_set(e, ERR_STATE, "all loop devices were taken by others");
}

static bool is_of(int loop_fd, const struct stat *file)
{
	struct loop_info64 info;

	return ioctl(loop_fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_device == file->st_dev &&
	       info.lo_inode == file->st_ino && info.lo_offset == 0 && info.lo_sizelimit == 0 &&
	       !(info.lo_flags & LO_FLAGS_READ_ONLY);
}

/* It is asked what it has once it is held: before, it may be freed and get another file. */
static int try(char path[RUNTIME_LOOP_PATH], int block_fd, const char *name,
	       const struct stat *file)
{
	char bound[NAME_MAX_BYTES + sizeof("/loop/backing_file")];

	if (strncmp(name, "loop", 4) != 0 || strlen(name) > NAME_MAX_BYTES)
		return -1;
	snprintf(bound, sizeof(bound), "%.16s/loop/backing_file", name);
	if (faccessat(block_fd, bound, F_OK, 0) < 0)
		return -1;
	snprintf(path, RUNTIME_LOOP_PATH, "/dev/%.16s", name);
	own_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	return fd >= 0 && is_of(fd, file) ? take_fd(&fd) : -1;
}

int runtime_loop_find(char path[RUNTIME_LOOP_PATH], int file_fd)
{
	own_dir DIR *block = opendir("/sys/block");
	struct stat file;
	int fd = -1;

	if (!block || fstat(file_fd, &file) < 0)
		return -1;
	for (struct dirent *entry; fd < 0 && (entry = readdir(block));)
		fd = try(path, dirfd(block), entry->d_name, &file);
	return fd;
}
