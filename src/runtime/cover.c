#include "runtime/cover.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "runtime/mount.h"
#include "runtime/tree.h"

void runtime_cover_leave_in_child(const struct runtime_covers *covers)
{
	if (covers)
		close(covers->server_fd);
}

/* Onto files of the kernel alone: in whatever else lies there, nothing is to be hidden. */
static int cover(const struct runtime_covers *covers, const struct runtime_cover *cover,
		 const struct runtime_tree *tree, struct err *e)
{
	own_fd int target = runtime_tree_open(tree, cover->path, O_PATH | O_NOFOLLOW);
	if (target < 0 || !fd_is_of_kernel(target))
		return 0;
	own_fd int file = path_try_open(covers->folder, cover->name, O_PATH | O_NOFOLLOW, 0);
	if (file < 0)
		return err_number(e, -file, "open what lies over it");
	own_fd int mount = runtime_mount_clone(file, e);
	return mount < 0 ? mount : runtime_mount_move(mount, target, e);
}

/* Of a mount that is nowhere no part can be cloned before Linux 6.15. It is hung up over the host's
 * /proc, of which this namespace has a copy that is let go with the host's root. */
int runtime_cover_attach_in_child(const struct runtime_covers *covers,
				  const struct runtime_tree *tree, struct err *e)
{
	if (!covers)
		return 0;
	if (move_mount(covers->folder, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "hang up what is to lie over files of the container");
	for (size_t i = 0; i < covers->count; i++)
		if (cover(covers, &covers->items[i], tree, e) < 0)
			return err_add(e, "cover %s", covers->items[i].path);
	return 0;
}

void runtime_cover_serve_in_parent(const struct runtime_covers *covers, const int fds[2])
{
	struct pollfd ready[] = { { fds[0], POLLIN, 0 },
				  { fds[1], POLLIN, 0 },
				  { covers ? covers->server_fd : -1, POLLIN, 0 } };

	for (;;) {
		if (poll(ready, 3, -1) < 0)
			continue;
		if (ready[2].revents && covers->serve(covers->context) < 0)
			ready[2].fd = -1;
		if (ready[0].revents || ready[1].revents)
			return;
	}
}
