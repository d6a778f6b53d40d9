/* Kernels before 6.15 attach nothing to a detached mount: a child with a mount namespace of its own
 * builds the tree as a container's does, and hands out a clone of the whole. */
#include "runtime/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "oci/runtime_spec.h"
#include "runtime/clone.h"
#include "runtime/mount.h"
#include "runtime/namespace.h"
#include "runtime/rootfs.h"
#include "runtime/tree.h"
#include "runtime/user_namespace.h"

struct view {
	const struct oci_spec *spec;
	struct runtime_user_namespace user;
	struct runtime_namespaces namespaces;
	struct runtime_mounts mounts;
	int root_fd;
};

static void view_clear(struct view *view)
{
	runtime_mount_clear(&view->mounts);
	runtime_user_namespace_clear(&view->user);
	runtime_namespace_close(&view->namespaces);
	own_fd_call(&view->root_fd);
}

static int prepare(struct view *view, const char *bundle, struct err *e)
{
	const struct runtime_mount_host host = { bundle, &view->user, &view->namespaces };

	int r = runtime_namespace_open_in_parent(&view->namespaces, view->spec, e);
	if (r == 0)
		r = runtime_user_namespace_prepare_in_parent(&view->user, &view->namespaces,
							     view->spec, e);
	if (r < 0)
		return r;
	view->root_fd = runtime_rootfs_open_in_parent(view->spec, bundle, &view->user, e);
	if (view->root_fd < 0)
		return view->root_fd;
	return runtime_mount_open_in_parent(&view->mounts, view->spec, &host, e);
}

static int build_in_child(const struct view *view, struct err *e)
{
	own_clear(runtime_tree_clear) struct runtime_tree tree = { .root_fd = view->root_fd };

	umask(0);
	int r = runtime_rootfs_isolate_in_child(e);
	if (r == 0)
		r = runtime_rootfs_attach_in_child(view->root_fd, e);
	if (r == 0)
		r = runtime_mount_attach_in_child(&view->mounts, &tree, NULL, e);
	if (r == 0)
		r = runtime_rootfs_finish_in_child(view->root_fd, view->spec, e);
	if (r < 0)
		return r;
	int fd = open_tree(view->root_fd, "",
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	return fd < 0 ? err_sys(e, "clone the container's tree") : fd;
}

static int build(const struct view *view, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	own_fd int ours = pair[0];
	own_fd int theirs = pair[1];
	pid_t pid = runtime_clone(CLONE_NEWNS, -1, NULL);
	if (pid < 0)
		return err_number(e, -pid, "start a process to build the container's tree");
	if (pid == 0) {
		struct err told = { 0 };
		int fd = build_in_child(view, &told);
		fd_answer(theirs, fd, &told);
		_exit(0);
	}
	close(take_fd(&theirs));
	int fd = fd_take_answer(ours, e);
	process_wait(pid);
	return fd;
}

int runtime_view_open_in_parent(const struct oci_spec *spec, const char *bundle, struct err *e)
{
	own_clear(view_clear) struct view view = { .spec = spec, .root_fd = -1 };

	view.user = (struct runtime_user_namespace)RUNTIME_USER_NAMESPACE_INIT;
	int r = prepare(&view, bundle, e);
	return r < 0 ? r : build(&view, e);
}
