#include "runtime/cgroup_guest.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_delegate.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"

const struct runtime_cgroup_hierarchy *
runtime_cgroup_guest_tree(const struct runtime_cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->hierarchies.count; i++)
		if (runtime_cgroup_hierarchy_is_v2(cgroup, i))
			return &cgroup->hierarchies.items[i];
	return NULL;
}

#define ANNOTATION "org.holm.cgroup.guest"

static bool is_asked_for(const struct runtime_cgroup *cgroup, const struct shape_map *annotations)
{
	return shape_map_get(annotations, ANNOTATION) && str_equal(cgroup->layout, "v1");
}

/* "UID:GID" */
static int read_owner(uint32_t *ret_uid, uint32_t *ret_gid, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	own_free char *uid = mem_text_n(text, colon ? (size_t)(colon - text) : 0);

	int r = number_parse_id(ret_uid, uid, e);
	if (r == 0)
		r = number_parse_id(ret_gid, colon ? colon + 1 : "", e);
	return r < 0 ? err_add(e, "annotation " ANNOTATION) : 0;
}

static int give(const struct runtime_cgroup *cgroup, const struct shape_map *annotations,
		struct err *e)
{
	const char *owner = shape_map_get(annotations, ANNOTATION);
	uint32_t uid, gid;

	if (!owner)
		return 0;
	int r = read_owner(&uid, &gid, owner, e);
	return r < 0 || uid == geteuid() ? r : runtime_cgroup_delegate_to(cgroup, uid, gid, e);
}

static void add_tree(struct runtime_cgroup *cgroup, const char *mount, size_t made)
{
	struct runtime_cgroup_hierarchy *tree = shape_list_add(&cgroup->hierarchies);

	tree->controllers = mem_text("");
	tree->mount = mem_text(mount);
	tree->made = made;
}

static int join(struct runtime_cgroup *cgroup, const char *mount, struct err *e)
{
	size_t made = 0;

	if (cgroup->hierarchies.count == RUNTIME_CGROUP_HIERARCHIES_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d cgroup hierarchies",
			       RUNTIME_CGROUP_HIERARCHIES_MAX);
	own_fd int root = runtime_cgroup_tree_open_root(mount, true, e);
	if (root < 0)
		return root;
	int r = runtime_cgroup_tree_make(root, cgroup->path, &made, e);
	if (r >= 0 || made > 0)
		add_tree(cgroup, mount, made);
	if (r != 0)
		return r < 0 ? err_add(e, "%s", mount) : 0;
	own_fd int folder = runtime_cgroup_tree_open_at(root, cgroup->path);
	if (folder < 0)
		return err_number(e, -folder, "open cgroup %s%s", mount, cgroup->path);
	return runtime_cgroup_check_empty(folder, cgroup->path, e);
}

static int add(struct runtime_cgroup *cgroup, const struct shape_map *annotations, struct err *e)
{
	own_free char *mount = NULL;

	if (!is_asked_for(cgroup, annotations))
		return 0;
	int r = runtime_cgroup_host_v2_mount(&mount, e);
	if (r == 0 && !mount) {
		log_warning("this host has no cgroup v2 tree: the container's init finds cgroup v1 "
			    "(mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified)");
		return 0;
	}
	return r < 0 ? r : join(cgroup, mount, e);
}

int runtime_cgroup_guest_add_in_parent(struct runtime_cgroup *cgroup,
				       const struct shape_map *annotations, struct err *e)
{
	struct err ignored;

	int r = add(cgroup, annotations, e);
	if (r == 0)
		r = give(cgroup, annotations, e);
	if (r < 0) {
		runtime_cgroup_remove(cgroup, &ignored);
		runtime_cgroup_clear(cgroup);
	}
	return r;
}

void runtime_cgroup_guest_add_lost(struct runtime_cgroup *cgroup,
				   const struct shape_map *annotations)
{
	own_free char *mount = NULL;
	struct err ignored;

	if (is_asked_for(cgroup, annotations) &&
	    runtime_cgroup_host_v2_mount(&mount, &ignored) == 0 && mount)
		add_tree(cgroup, mount, 0);
}
