#include "base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

#ifndef MFD_EXEC /* Linux 6.3, linux/memfd.h */
#define MFD_EXEC 0x0010U
#endif

/* More than any static program of holm's. */
enum { PROGRAM_BYTES_MAX = 16 << 20 };

/* Where vm.memfd_noexec is set a file that may run must say so; kernels before do not know it. */
static int make_memory_file(void)
{
	int fd = memfd_create("program", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create("program", MFD_CLOEXEC | MFD_ALLOW_SEALING)
					 : fd;
}

static int copy(int program, struct err *e)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	own_fd int from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return err_sys(e, "open the program");
	if (st.st_size > PROGRAM_BYTES_MAX)
		return err_set(e, ERR_INVALID, "the program has more than %d bytes",
			       PROGRAM_BYTES_MAX);
	own_fd int to = make_memory_file();
	if (to < 0)
		return err_sys(e, "make a file in memory for the program");
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n <= 0)
			return err_sys(e, "copy the program");
		left -= n;
	}
	if (fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(e, "seal the copy of the program");
	return take_fd(&to);
}

static int clone_mount(int fd, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };

	own_fd int tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return err_sys(e, "clone the mount of the program");
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make the mount of the program read-only");
	return take_fd(&tree);
}

int sealed_open(int fd, struct err *e)
{
	int clone = clone_mount(fd, e);

	return clone == -EPERM ? copy(fd, e) : clone;
}
