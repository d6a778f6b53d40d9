/* Kernels before 6.15 attach nothing to a detached mount: a child with a mount namespace of its own
 * builds the tree as a container's does, and hands out a clone of the whole. */
#include "runtime/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
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

static int build_in_child(void *arg, int *ret, struct err *e)
{
	const struct view *view = arg;
	own_clear(runtime_tree_clear) struct runtime_tree tree = { .root_fd = view->root_fd };

	umask(0);
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "make a mount namespace to build the container's tree");
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
	if (fd < 0)
		return err_sys(e, "clone the container's tree");
	*ret = fd;
	return 0;
}

int runtime_view_open_in_parent(const struct oci_spec *spec, const char *bundle, struct err *e)
{
	own_clear(view_clear) struct view view = { .spec = spec, .root_fd = -1 };
	int fd = -1;

	view.user = (struct runtime_user_namespace)RUNTIME_USER_NAMESPACE_INIT;
	int r = prepare(&view, bundle, e);
	if (r == 0)
		r = child_open(&fd, 1, build_in_child, &view, e);
	return r < 0 ? r : fd;
}
