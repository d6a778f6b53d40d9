#include "runtime/cgroup_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_guest.h"
#include "runtime/mount.h"
#include "runtime/mount_label.h"
#include "runtime/tree.h"

/* A detached clone of the cgroup's folder, with the mount's flags. */
static int open_folder(const struct runtime_mount *m, const struct runtime_cgroup_hierarchy *h,
		       const char *path, struct err *e)
{
	struct mount_attr attr = {
		.attr_set = m->options.set | m->options.set_all,
		.attr_clr = m->options.clear | m->options.clear_all,
		.propagation = MS_PRIVATE,
	};
	own_free char *full = path_join(h->mount, path);

	own_fd int fd = open_tree(AT_FDCWD, full, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "clone the mount of %s", full);
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "set the flags of the cgroup's mount");
	return take_fd(&fd);
}

/* "cpu,cpuacct" is one hierarchy; programs look for "cpu" and for "cpuacct", too. */
static int link_names(int dir, const char *name, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, name, ',');
	for (size_t i = 0; parts.count > 1 && i < parts.count; i++)
		if (symlinkat(name, dir, parts.items[i]) < 0)
			return err_sys(e, "link %s", parts.items[i]);
	return 0;
}

static int bind_hierarchy(const struct runtime_mount *m, int dir,
			  const struct runtime_cgroup_hierarchy *h, const char *path, struct err *e)
{
	const char *name = h->controllers;

	if (str_starts(name, "name="))
		name += strlen("name=");
	own_fd int fd = open_folder(m, h, path, e);
	if (fd < 0)
		return fd;
	if (mkdirat(dir, name, 0755) < 0)
		return err_sys(e, "make folder %s", name);
	/* nobody else is in this tmpfs yet */
	if (move_mount(fd, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount the cgroup at %s", name);
	return link_names(dir, name, e);
}

static int open_tmpfs(const char *label, struct err *e)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", "cgroup", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0)
		return err_sys(e, "make a tmpfs for the cgroups");
	int r = runtime_mount_label_option(fs, label, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "make a tmpfs for the cgroups");
	int fd = fsmount(fs, FSMOUNT_CLOEXEC,
			 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? err_sys(e, "mount a tmpfs for the cgroups") : fd;
}

static int mount_v1(const struct runtime_mount *m, struct runtime_tree *tree, int target_fd,
		    const struct runtime_cgroup *cgroup, const char *label, struct err *e)
{
	struct mount_attr readonly = { .attr_set = m->options.set & MOUNT_ATTR_RDONLY };
	own_fd int dir = open_tmpfs(label, e);
	if (dir < 0)
		return dir;
	/* attached first: nothing can be mounted on a detached mount before Linux 6.15 */
	int r = runtime_mount_move(dir, target_fd, e);
	for (size_t i = 0; r == 0 && i < cgroup->hierarchies.count; i++)
		r = bind_hierarchy(m, dir, &cgroup->hierarchies.items[i], cgroup->path, e);
	if (r < 0)
		return r;
	if (mount_setattr(dir, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return err_sys(e, "make the tmpfs of the cgroups read-only");
	runtime_tree_add(tree, m->spec->destination, "cgroup", take_fd(&dir));
	return 0;
}

int runtime_cgroup_mount_in_child(const struct runtime_mount *m, struct runtime_tree *tree,
				  int target_fd, const struct runtime_cgroup *cgroup,
				  const char *label, struct err *e)
{
	const struct runtime_cgroup_hierarchy *tree_v2 = runtime_cgroup_guest_tree(cgroup);

	if (!tree_v2 && !str_equal(cgroup->layout, "v2"))
		return mount_v1(m, tree, target_fd, cgroup, label, e);
	if (!tree_v2)
		return err_set(e, ERR_INTERNAL, "the cgroup has no hierarchy");
	own_free char *path =
		cgroup->leaf ? path_join(cgroup->path, cgroup->leaf) : mem_text(cgroup->path);
	own_fd int fd = open_folder(m, tree_v2, path, e);
	if (fd < 0)
		return fd;
	int r = runtime_mount_move(fd, target_fd, e);
	if (r < 0)
		return r;
	runtime_tree_add(tree, m->spec->destination, "cgroup", take_fd(&fd));
	return 0;
}
