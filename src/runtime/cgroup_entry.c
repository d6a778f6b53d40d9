/* The way of a process into a container's cgroup, or into one below it that is there already. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_membership.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_tree.h"

static int entry_open_one(struct runtime_cgroup_entry *entry, const struct runtime_cgroup *cgroup,
			  size_t index, const char *below, struct err *e)
{
	bool v2 = runtime_cgroup_hierarchy_is_v2(cgroup, index);
	own_free char *path = path_join(cgroup->path, below);

	own_fd int root =
		runtime_cgroup_tree_open_root(cgroup->hierarchies.items[index].mount, v2, e);
	if (root < 0)
		return root;
	own_fd int folder = runtime_cgroup_tree_open_at(root, path);
	if (folder < 0)
		return err_number(e, -folder, "open cgroup %s below %s", below, cgroup->path);
	int file = openat(folder, v2 ? "cgroup.procs" : "tasks", O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open cgroup %s", path);
	if (v2) {
		entry->folder = take_fd(&folder);
		entry->tree = entry->count;
	}
	entry->files[entry->count++] = file;
	return 0;
}

static bool intersects(const char *controllers, const char *some)
{
	own_clear(strv_clear) struct strv list = { 0 };

	strv_split(&list, some, ',');
	for (size_t i = 0; i < list.count; i++)
		if (runtime_cgroup_plan_listed(controllers, list.items[i]))
			return true;
	return false;
}

/* "cpu,cpuacct:path" is for those hierarchies, "path" for all that are not named otherwise. */
static const char *entry_below(const struct runtime_cgroup *cgroup, const char *controllers,
			       const struct strv *choices)
{
	const char *below = "";

	if (!choices || choices->count == 0)
		return cgroup->leaf ? cgroup->leaf : "";
	for (size_t i = 0; i < choices->count; i++) {
		const char *choice = choices->items[i];
		const char *colon = strchr(choice, ':');
		own_free char *some = colon ? mem_text_n(choice, (size_t)(colon - choice)) : NULL;
		if (!colon && !*below)
			below = choice;
		if (colon && intersects(controllers, some))
			return colon + 1;
	}
	return below;
}

static bool is_joined(const struct runtime_cgroup *cgroup, const char *controller)
{
	for (size_t i = 0; i < cgroup->hierarchies.count; i++)
		if (runtime_cgroup_plan_listed(cgroup->hierarchies.items[i].controllers,
					       controller))
			return true;
	return false;
}

static int check_choice(const struct runtime_cgroup *cgroup, const char *choice, struct err *e)
{
	own_clear(strv_clear) struct strv controllers = { 0 };
	own_clear(strv_clear) struct strv parts = { 0 };
	const char *colon = strchr(choice, ':');
	own_free char *some = mem_text_n(choice, colon ? (size_t)(colon - choice) : 0);

	strv_split(&controllers, some, ',');
	strv_split(&parts, colon ? colon + 1 : choice, '/');
	if (parts.count == 0 || strv_contains(&parts, "..") || (colon && controllers.count == 0))
		return err_set(e, ERR_INVALID,
			       "cgroup \"%s\": [CONTROLLER[,...]:]PATH, a path below the "
			       "container's own cgroup",
			       choice);
	if (colon && runtime_cgroup_is_v2(cgroup))
		return err_set(e, ERR_INVALID,
			       "cgroup \"%s\": on cgroup v2 no controller has a path of its own",
			       choice);
	for (size_t i = 0; i < controllers.count; i++)
		if (!is_joined(cgroup, controllers.items[i]))
			return err_set(e, ERR_NOT_FOUND,
				       "cgroup \"%s\": the container has no cgroup of %s", choice,
				       controllers.items[i]);
	return 0;
}

/* tree_below: the place in a tree of v2, if not NULL. */
static int entry_open(struct runtime_cgroup_entry *ret, const struct runtime_cgroup *cgroup,
		      const struct strv *choices, const char *tree_below, struct err *e)
{
	struct runtime_cgroup_entry entry = { .folder = -1 };
	int r = 0;

	if (cgroup->hierarchies.count > RUNTIME_CGROUP_HIERARCHIES_MAX)
		return err_set(e, ERR_CORRUPT, "more than %d cgroup hierarchies",
			       RUNTIME_CGROUP_HIERARCHIES_MAX);
	for (size_t i = 0; r == 0 && choices && i < choices->count; i++)
		r = check_choice(cgroup, choices->items[i], e);
	for (size_t i = 0; r == 0 && i < cgroup->hierarchies.count; i++) {
		const char *controllers = cgroup->hierarchies.items[i].controllers;
		bool v2 = runtime_cgroup_hierarchy_is_v2(cgroup, i);
		const char *below =
			v2 && tree_below ? tree_below : entry_below(cgroup, controllers, choices);
		r = entry_open_one(&entry, cgroup, i, below, e);
	}
	if (r < 0) {
		runtime_cgroup_entry_close(&entry);
		return r;
	}
	*ret = entry;
	return 0;
}

int runtime_cgroup_entry_open(struct runtime_cgroup_entry *ret, const struct runtime_cgroup *cgroup,
			      const struct strv *choices, struct err *e)
{
	return entry_open(ret, cgroup, choices, NULL, e);
}

/* Its part below the container's cgroup, "init.scope", or NULL. The caller frees. */
static char *first_below(const struct runtime_cgroup *cgroup, pid_t first)
{
	own_free char *path = NULL;
	struct err ignored;

	if (runtime_cgroup_membership_read(&path, first, RUNTIME_CGROUP_MEMBERSHIP_V2, &ignored) <
	    0)
		return NULL;
	size_t length = strlen(cgroup->path);
	bool below = str_starts(path, cgroup->path) && path[length] == '/';
	return below ? mem_text(path + length + 1) : NULL;
}

int runtime_cgroup_entry_open_with(struct runtime_cgroup_entry *ret,
				   const struct runtime_cgroup *cgroup, pid_t first, struct err *e)
{
	own_clear(str_clear) struct str handed_down = { 0 };

	int r = entry_open(ret, cgroup, NULL, NULL, e);
	if (r < 0 || ret->folder < 0)
		return r;
	runtime_cgroup_tree_read(ret->folder, "cgroup.subtree_control", &handed_down);
	own_free char *below = handed_down.length > 1 ? first_below(cgroup, first) : NULL;
	if (!below)
		return 0;
	runtime_cgroup_entry_close(ret);
	return entry_open(ret, cgroup, NULL, below, e);
}

void runtime_cgroup_entry_close(struct runtime_cgroup_entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		close(entry->files[i]);
	if (entry->folder >= 0)
		close(entry->folder);
	*entry = (struct runtime_cgroup_entry){ .folder = -1 };
}

/* "0" is the writer itself. In v1's tasks that moves one thread, without the lock (and the grace
 * period behind it) that moving a process of unknown threads takes. */
int runtime_cgroup_enter_self_in_child(const struct runtime_cgroup_entry *entry, bool born,
				       struct err *e)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (born && i == entry->tree)
			continue;
		int r = fd_write_all(entry->files[i], "0", 1);
		if (r < 0)
			return err_number(e, -r, "enter the cgroup");
	}
	return 0;
}
