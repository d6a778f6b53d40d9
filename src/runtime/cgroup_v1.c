/* cgroup v1: one folder per hierarchy. A container joins those that are needed to count, limit,
 * freeze and kill it (joined below), those with a name and no controllers, and the others only
 * when one of its limits lives there: each costs some 70 us at start and end, and blkio makes
 * synchronous writes slow even without a limit (docs/decisions/0010-cgroup-hierarchies.md). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_memory.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_tree.h"
#include "runtime/cgroup_undo.h"

static const char *const joined[] = { "memory", "pids", "devices", "freezer", "cpu", "cpuacct" };

/* cpuset.cpus: lists as "0-3,7"; 8192 CPUs in the worst spelling. */
#define CPUSET_BYTES_MAX 65536

static bool v1_is_needed(const char *controllers, const struct runtime_cgroup_plan *plan)
{
	for (size_t i = 0; i < COUNT_OF(joined); i++) {
		if (runtime_cgroup_plan_listed(controllers, joined[i]))
			return true;
	}
	/* who made a hierarchy without controllers tells processes apart by it: systemd on the
	 * host, which kills by it at the end of the service that holm was called from, and systemd
	 * in the container, which needs a place of its own there */
	return str_starts(controllers, "name=") || runtime_cgroup_plan_has(plan, controllers);
}

static int v1_check_present(const struct runtime_cgroup *host,
			    const struct runtime_cgroup_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct runtime_cgroup_write *write = &plan->items[i];
		if (!runtime_cgroup_host_has(host, write->controller))
			return runtime_cgroup_missing(write->controller, write->file, e);
	}
	return 0;
}

/* A new cpuset is empty and refuses processes; each level takes what the one above has. */
static int v1_cpuset_inherit_one(int parent, int folder, const char *file, struct err *e)
{
	own_clear(str_clear) struct str mine = { 0 };
	own_clear(str_clear) struct str above = { 0 };

	int r = fd_read_file_at(folder, file, CPUSET_BYTES_MAX, &mine, e);
	if (r < 0 || (mine.length > 0 && mine.text[0] != '\n'))
		return r;
	r = fd_read_file_at(parent, file, CPUSET_BYTES_MAX, &above, e);
	return r < 0 ? r : fd_write_control_at(folder, file, above.text ? above.text : "", e);
}

static int v1_cpuset_inherit(int root, const char *path, struct err *e)
{
	own_free char *copy = mem_text(path);
	own_fd int parent = runtime_cgroup_tree_open_at(root, "/");

	for (char *slash = copy; slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		own_fd int folder = runtime_cgroup_tree_open_at(root, copy);
		if (parent < 0 || folder < 0)
			return err_number(e, parent < 0 ? -parent : -folder, "open cpuset %s",
					  copy);
		int r = v1_cpuset_inherit_one(parent, folder, "cpuset.cpus", e);
		if (r == 0)
			r = v1_cpuset_inherit_one(parent, folder, "cpuset.mems", e);
		if (r < 0)
			return err_add(e, "cpuset %s", copy);
		close(parent);
		parent = take_fd(&folder);
		if (slash)
			*slash = '/';
	}
	return 0;
}

static int v1_freezer_is(int folder, const char *state)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = runtime_cgroup_tree_read(folder, "freezer.state", &text);
	return r < 0 ? r : str_starts(text.text ? text.text : "", state);
}

/* A process that enters a frozen folder, or one below it, stops at once, and whoever waits for it
 * hangs. */
static int v1_check_thawed(int folder, const char *path, struct err *e)
{
	return v1_freezer_is(folder, "THAWED") == 0 ? runtime_cgroup_frozen_above(path, e) : 0;
}

static int v1_join(const struct runtime_cgroup_hierarchy *hierarchy, const char *path,
		   const struct runtime_cgroup_plan *plan, size_t *made, struct err *e)
{
	own_fd int root = runtime_cgroup_tree_open_root(hierarchy->mount, false, e);
	if (root < 0)
		return root;
	int r = runtime_cgroup_tree_make(root, path, made, e);
	if (r < 0)
		return err_add(e, "%s", hierarchy->mount);
	bool old = r == 0;
	if (runtime_cgroup_plan_listed(hierarchy->controllers, "cpuset")) {
		r = v1_cpuset_inherit(root, path, e);
		if (r < 0)
			return r;
	}
	own_fd int folder = runtime_cgroup_tree_open_at(root, path);
	if (folder < 0)
		return err_number(e, -folder, "open cgroup %s%s", hierarchy->mount, path);
	if (old && (r = runtime_cgroup_check_empty(folder, path, e)) < 0)
		return r;
	if (runtime_cgroup_plan_listed(hierarchy->controllers, "freezer") &&
	    (r = v1_check_thawed(folder, path, e)) < 0)
		return r;
	return runtime_cgroup_plan_apply(plan, hierarchy->controllers, folder, NULL, e);
}

static void v1_add(struct runtime_cgroup *cgroup, const struct runtime_cgroup_hierarchy *from,
		   size_t made)
{
	struct runtime_cgroup_hierarchy *to = shape_list_add(&cgroup->hierarchies);

	to->controllers = mem_text(from->controllers);
	to->mount = mem_text(from->mount);
	to->made = made;
}

int runtime_cgroup_v1_create(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			     const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };

	int r = resources ? runtime_cgroup_plan_v1(&plan, resources, e) : 0;
	if (r == 0)
		r = v1_check_present(host, &plan, e);
	for (size_t i = 0; r == 0 && i < host->hierarchies.count; i++) {
		const struct runtime_cgroup_hierarchy *hierarchy = &host->hierarchies.items[i];
		if (!v1_is_needed(hierarchy->controllers, &plan))
			continue;
		if (cgroup->hierarchies.count == RUNTIME_CGROUP_HIERARCHIES_MAX)
			return err_set(e, ERR_UNSUPPORTED, "more than %d cgroup hierarchies",
				       RUNTIME_CGROUP_HIERARCHIES_MAX);
		size_t made = 0;
		r = v1_join(hierarchy, cgroup->path, &plan, &made, e);
		if (r == 0 || made > 0)
			v1_add(cgroup, hierarchy, made);
	}
	return r;
}

/* Moves every process of the cgroup to a hierarchy it was no member of; new ones may appear
 * meanwhile, so until a round finds none that was not seen. */
static int v1_migrate(const struct runtime_cgroup *cgroup, int folder, struct err *e)
{
	size_t before = SIZE_MAX;

	for (unsigned round = 0; round < 20; round++) {
		own_free pid_t *pids = NULL;
		size_t count, moved = 0;
		int r = runtime_cgroup_list(&pids, &count, cgroup, e);
		if (r < 0)
			return r;
		for (size_t i = 0; i < count; i++) {
			char text[16];
			struct err gone;
			snprintf(text, sizeof(text), "%d", pids[i]);
			r = fd_write_control_at(folder, "cgroup.procs", text, &gone);
			if (r < 0 && r != -ESRCH) {
				*e = gone;
				return r;
			}
			moved += r == 0;
		}
		if (moved == before)
			return 0;
		before = moved;
	}
	return err_set(e, ERR_TIMEOUT,
		       "the container makes processes faster than they can be moved");
}

static bool v1_is_member(const struct runtime_cgroup *cgroup, const char *controllers)
{
	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		if (str_equal(cgroup->hierarchies.items[i].controllers, controllers))
			return true;
	}
	return false;
}

static int v1_join_late(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			const struct runtime_cgroup_plan *plan, struct err *e)
{
	const struct runtime_cgroup_plan nothing = { 0 };

	for (size_t i = 0; i < host->hierarchies.count; i++) {
		const struct runtime_cgroup_hierarchy *hierarchy = &host->hierarchies.items[i];
		if (v1_is_member(cgroup, hierarchy->controllers) ||
		    !runtime_cgroup_plan_has(plan, hierarchy->controllers))
			continue;
		size_t made = 0;
		int r = v1_join(hierarchy, cgroup->path, &nothing, &made, e);
		if (r < 0)
			return r;
		own_fd int folder =
			runtime_cgroup_tree_open(hierarchy->mount, false, cgroup->path, e);
		r = folder < 0 ? folder : v1_migrate(cgroup, folder, e);
		if (r < 0)
			return r;
		v1_add(cgroup, hierarchy, made);
	}
	return 0;
}

static int v1_check_memory(const struct runtime_cgroup *cgroup,
			   const struct oci_resources *resources, struct err *e)
{
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "memory");

	return folder < 0 ? 0 : runtime_cgroup_memory_check(folder, resources, false, e);
}

/* All of it or nothing, as far as what was there before can be read. */
static int v1_change(const struct runtime_cgroup *cgroup, const struct runtime_cgroup_plan *plan,
		     struct err *e)
{
	own_clear(runtime_cgroup_undo_clear) struct runtime_cgroup_undo undo = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < cgroup->hierarchies.count; i++) {
		const char *controllers = cgroup->hierarchies.items[i].controllers;
		if (!runtime_cgroup_plan_has(plan, controllers))
			continue;
		own_fd int folder = runtime_cgroup_open(cgroup, i, e);
		r = folder < 0 ? folder
			       : runtime_cgroup_plan_apply(plan, controllers, folder, &undo, e);
	}
	if (r < 0)
		runtime_cgroup_undo_run(&undo);
	return r;
}

int runtime_cgroup_v1_update(struct runtime_cgroup *cgroup, const struct oci_resources *resources,
			     struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };

	int r = runtime_cgroup_plan_v1(&plan, resources, e);
	if (r == 0)
		r = runtime_cgroup_host_read(&host, e);
	if (r == 0)
		r = v1_check_present(&host, &plan, e);
	if (r == 0)
		r = v1_check_memory(cgroup, resources, e);
	if (r == 0)
		r = v1_join_late(cgroup, &host, &plan, e);
	return r < 0 ? r : v1_change(cgroup, &plan, e);
}

/* A task that is just being forked can leave the cgroup FREEZING for ever; writing the state anew
 * makes the kernel look again (freezer-subsystem.rst). */
int runtime_cgroup_v1_freeze(const struct runtime_cgroup *cgroup, bool frozen, int64_t deadline_ms,
			     struct err *e)
{
	const char *state = frozen ? "FROZEN" : "THAWED";
	unsigned round = 0;

	own_fd int folder = runtime_cgroup_open_controller(cgroup, "freezer");
	if (folder < 0)
		return runtime_cgroup_missing("freezer", "freezer.state", e);
	for (;;) {
		int r = fd_write_control_at(folder, "freezer.state", state, e);
		if (r < 0)
			return r;
		r = v1_freezer_is(folder, state);
		if (r != 0)
			return r < 0 ? err_number(e, -r, "read freezer.state") : 0;
		if (!frozen && runtime_cgroup_tree_count(folder, "freezer.parent_freezing"))
			return runtime_cgroup_frozen_above(cgroup->path, e);
		if (!runtime_cgroup_tree_wait(&round, deadline_ms))
			break;
	}
	/* half frozen is the worst of all */
	if (frozen) {
		struct err ignored;
		fd_write_control_at(folder, "freezer.state", "THAWED", &ignored);
	}
	return err_set(e, ERR_TIMEOUT, "a process in cgroup %s cannot be %s", cgroup->path,
		       frozen ? "frozen" : "thawed");
}

bool runtime_cgroup_v1_is_frozen(const struct runtime_cgroup *cgroup)
{
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "freezer");

	return folder >= 0 && v1_freezer_is(folder, "THAWED") == 0;
}
