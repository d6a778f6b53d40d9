#include "runtime/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "oci/runtime_spec.h"
#include "runtime/mount.h"
#include "runtime/tree.h"

void runtime_terminal_close(struct runtime_terminal *terminal)
{
	if (terminal->master >= 0)
		close(terminal->master);
	if (terminal->slave >= 0)
		close(terminal->slave);
	*terminal = (struct runtime_terminal)RUNTIME_TERMINAL_INIT;
}

int runtime_terminal_open_in_child(struct runtime_terminal *ret, int pts_fd,
				   const struct oci_console_size *size, struct err *e)
{
	int unlock = 0;

	own_fd int master = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (master < 0)
		return err_sys(e, "open a terminal in /dev/pts");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "unlock the terminal");
	/* not by the name /dev/pts/N, which may be anything (CVE-2025-52565); Linux 4.13 */
	own_fd int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, "open the terminal's other end");
	if (size) {
		struct winsize window = {
			.ws_row = (unsigned short)size->height,
			.ws_col = (unsigned short)size->width,
		};
		ioctl(slave, TIOCSWINSZ, &window);
	}
	ret->master = take_fd(&master);
	ret->slave = take_fd(&slave);
	return 0;
}

int runtime_terminal_find_devpts(struct err *e)
{
	struct statfs fs;

	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open /");
	own_fd int fd = path_open(root, "/dev/pts", O_PATH | O_DIRECTORY, 0, e);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return err_sys(e, "look at /dev/pts");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(e, ERR_UNSUPPORTED, "the container has no devpts at /dev/pts");
	return take_fd(&fd);
}

int runtime_terminal_bind_console_in_child(const struct runtime_terminal *terminal,
					   const struct runtime_tree *tree, struct err *e)
{
	own_free char *last = NULL;
	struct stat st;

	own_fd int dir = runtime_tree_open_parent(tree, "/dev/console", &last, e);
	if (dir < 0)
		return dir;
	own_fd int made =
		openat(dir, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (made < 0 && errno != EEXIST)
		return err_sys(e, "make /dev/console");
	own_fd int target = openat(dir, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return err_sys(e, "open /dev/console");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(e, ERR_INVALID, "/dev/console is neither a file nor a device");
	own_fd int clone = runtime_mount_clone(terminal->slave, e);
	if (clone < 0 || runtime_mount_move(clone, target, e) < 0)
		return err_add(e, "/dev/console");
	return 0;
}

int runtime_terminal_take_in_child(const struct runtime_terminal *terminal, bool controlling,
				   struct err *e)
{
	if (controlling && ioctl(terminal->slave, TIOCSCTTY, 0) < 0)
		return err_sys(e, "make it the controlling terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(terminal->slave, fd) < 0)
			return err_sys(e, "make the terminal descriptor %d", fd);
	return 0;
}
