#include "runtime/cgroup_delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_guest.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"

#define LIST_BYTES_MAX 4096

/* What Linux has always given away, where it does not say: cgroups(7), "Cgroups v2 delegation". */
static const char files_default[] = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";

/* One by one: what cannot be passed on (cpu with real-time tasks) must not keep the others off. */
static void pass_controllers(int folder)
{
	own_clear(str_clear) struct str list = { 0 };
	struct err ignored;
	char *rest;

	if (runtime_cgroup_tree_read(folder, "cgroup.controllers", &list) < 0 || !list.text)
		return;
	for (char *one = strtok_r(list.text, " \n", &rest); one;
	     one = strtok_r(NULL, " \n", &rest)) {
		own_free char *enable = mem_format("+%s", one);
		fd_write_control_at(folder, "cgroup.subtree_control", enable, &ignored);
	}
}

int runtime_cgroup_delegate_leaf(struct runtime_cgroup *cgroup, const struct shape_map *annotations,
				 struct err *e)
{
	const char *name = shape_map_get(annotations, "run.oci.delegate-cgroup");

	if (str_empty(name))
		return 0;
	name += *name == '/';
	if (!path_is_name(name))
		return err_set(e, ERR_INVALID,
			       "annotation run.oci.delegate-cgroup: \"%.100s\" is no name", name);
	if (!runtime_cgroup_is_v2(cgroup))
		return err_set(e, ERR_UNSUPPORTED,
			       "annotation run.oci.delegate-cgroup: only cgroup v2 can be given "
			       "away safely");
	own_fd int folder = runtime_cgroup_open(cgroup, 0, e);
	if (folder < 0)
		return folder;
	pass_controllers(folder);
	if (mkdirat(folder, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make cgroup %s/%s", cgroup->path, name);
	cgroup->leaf = mem_text(name);
	return 0;
}

static int give(int folder, const char *file, uid_t uid, gid_t gid)
{
	if (fchownat(folder, file, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

int runtime_cgroup_delegate_to(const struct runtime_cgroup *cgroup, uid_t uid, gid_t gid,
			       struct err *e)
{
	own_clear(str_clear) struct str files = { 0 };
	struct err ignored;
	char *rest;

	const struct runtime_cgroup_hierarchy *tree = runtime_cgroup_guest_tree(cgroup);
	if (!tree)
		return 0;
	own_fd int top = runtime_cgroup_open(cgroup, (size_t)(tree - cgroup->hierarchies.items), e);
	if (top < 0)
		return top;
	own_fd int folder = runtime_cgroup_tree_open_at(top, cgroup->leaf ? cgroup->leaf : "");
	if (folder < 0)
		return err_number(e, -folder, "open cgroup %s below %s", cgroup->leaf,
				  cgroup->path);
	if (fd_read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", LIST_BYTES_MAX, &files,
			    &ignored) < 0)
		str_add(&files, files_default);
	int r = give(folder, ".", uid, gid);
	for (char *one = strtok_r(files.text, "\n", &rest); r == 0 && one;
	     one = strtok_r(NULL, "\n", &rest))
		if (path_is_name(one))
			r = give(folder, one, uid, gid);
	return r < 0 ? err_number(e, -r, "give cgroup %s to user %u", cgroup->path, uid) : 0;
}
