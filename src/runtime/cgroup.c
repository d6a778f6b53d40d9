#include "runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/cgroup_tree.h"
#include "runtime/signal_listed.h"

/* Docker and podman wait this long, too, before they give a freeze up. */
#define FREEZE_TIMEOUT_MS 10000
#define REMOVE_TIMEOUT_MS 2000

/* A kernel path; cgroup names are at most 255 bytes each. */
#define PATH_BYTES_MAX 4000

static const struct shape hierarchy_shape = {
	sizeof(struct runtime_cgroup_hierarchy),
	(const struct shape_field[]){
		{ "controllers", SHAPE_STRING,
		  offsetof(struct runtime_cgroup_hierarchy, controllers), .keep = true },
		{ "mount", SHAPE_STRING, offsetof(struct runtime_cgroup_hierarchy, mount) },
		{ "made", SHAPE_UINT, offsetof(struct runtime_cgroup_hierarchy, made) },
		{ 0 },
	},
};

const struct shape runtime_cgroup_shape = {
	sizeof(struct runtime_cgroup),
	(const struct shape_field[]){
		{ "layout", SHAPE_STRING, offsetof(struct runtime_cgroup, layout) },
		{ "path", SHAPE_STRING, offsetof(struct runtime_cgroup, path) },
		{ "leaf", SHAPE_STRING, offsetof(struct runtime_cgroup, leaf) },
		{ "unit", SHAPE_STRING, offsetof(struct runtime_cgroup, unit) },
		{ "userUnit", SHAPE_BOOL, offsetof(struct runtime_cgroup, user_unit) },
		{ "hierarchies", SHAPE_LIST, offsetof(struct runtime_cgroup, hierarchies),
		  &hierarchy_shape },
		{ 0 },
	},
};

void runtime_cgroup_clear(struct runtime_cgroup *cgroup)
{
	shape_clear(&runtime_cgroup_shape, cgroup);
}

bool runtime_cgroup_is_v2(const struct runtime_cgroup *cgroup)
{
	return str_equal(cgroup->layout, "v2");
}

bool runtime_cgroup_hierarchy_is_v2(const struct runtime_cgroup *cgroup, size_t index)
{
	return runtime_cgroup_is_v2(cgroup) || !*cgroup->hierarchies.items[index].controllers;
}

static bool cgroup_is_none(const struct runtime_cgroup *cgroup)
{
	return cgroup->hierarchies.count == 0;
}

int runtime_cgroup_missing(const char *controller, const char *file, struct err *e)
{
	err_set(e, ERR_UNSUPPORTED, "limit %s: this host has no cgroup controller %s", file,
		controller);
	return err_hint(e,
			"/proc/cgroups shows what the kernel has; the boot parameter "
			"cgroup_enable=%s or the mount of its hierarchy may be missing",
			controller);
}

int runtime_cgroup_frozen_above(const char *path, struct err *e)
{
	err_set(e, ERR_STATE, "cgroup %s is frozen, or one above it", path);
	return err_hint(e, "thaw it first: write THAWED to freezer.state (v1) or 0 to "
			   "cgroup.freeze (v2) of that folder");
}

int runtime_cgroup_check_empty(int folder, const char *path, struct err *e)
{
	own_clear(str_clear) struct str procs = { 0 };

	int r = runtime_cgroup_tree_read(folder, "cgroup.procs", &procs);
	if (r < 0)
		return err_number(e, -r, "look for processes in cgroup %s", path);
	if (procs.length > 0)
		return err_set(e, ERR_EXISTS, "cgroup %s exists and has processes", path);
	return 0;
}

/* "/a/b" as it is, "b" below /holm. The kernel's own rule for names, and none that leads up. */
static int cgroup_path(char **ret, const char *path, struct err *e)
{
	own_free char *full =
		*path == '/' ? path_clean(path) : path_join(RUNTIME_CGROUP_PARENT, path);
	own_free char *clean = path_clean(full);

	if (*path != '/' && strchr(path, ':'))
		return err_set(e, ERR_UNSUPPORTED,
			       "cgroup path \"%s\": slice:prefix:name is for the systemd manager",
			       path);
	if (strlen(path) > PATH_BYTES_MAX || strchr(path, '\n') || strstr(path, "..") ||
	    str_equal(clean, "/") || str_equal(clean, RUNTIME_CGROUP_PARENT))
		return err_set(e, ERR_INVALID, "cgroup path \"%.100s\": not the name of a cgroup",
			       path);
	*ret = take_ptr(&clean);
	return 0;
}

bool runtime_cgroup_asks_for_limits(const struct oci_resources *resources)
{
	return resources &&
	       (resources->memory || resources->cpu || resources->pids || resources->block_io ||
		resources->hugepage_limits.count > 0 || resources->unified.count > 0);
}

/* /holm is everyone's: whoever comes last removes it. Other folders above only go with the one
 * who made them, because they may be an administrator's, with limits. */
static void cgroup_remove_above(int root, const char *path, uint64_t made)
{
	if (str_starts(path, RUNTIME_CGROUP_PARENT "/"))
		made = strlen(RUNTIME_CGROUP_PARENT);
	if (made > 0)
		runtime_cgroup_tree_remove_above(root, path, made);
}

static int cgroup_remove_folders(const struct runtime_cgroup *cgroup, int64_t timeout_ms,
				 struct err *e)
{
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(timeout_ms);
	int failed = 0;

	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		const char *mount = cgroup->hierarchies.items[i].mount;
		bool v2 = runtime_cgroup_hierarchy_is_v2(cgroup, i);
		own_fd int root = runtime_cgroup_tree_open_root(mount, v2, e);
		int r = root < 0 ? root
				 : runtime_cgroup_tree_remove(root, cgroup->path, deadline_ms);
		if (root >= 0 && r < 0)
			failed = r == -EBUSY
					 ? err_set(e, ERR_STATE, "cgroup %s%s still has processes",
						   mount, cgroup->path)
					 : err_number(e, -r, "remove cgroup %s%s", mount,
						      cgroup->path);
		else if (r < 0)
			failed = r;
		else
			cgroup_remove_above(root, cgroup->path, cgroup->hierarchies.items[i].made);
	}
	return failed;
}

int runtime_cgroup_remove(const struct runtime_cgroup *cgroup, struct err *e)
{
	int r = cgroup_remove_folders(cgroup, REMOVE_TIMEOUT_MS, e);

	if (cgroup->unit)
		runtime_cgroup_systemd_stop(cgroup);
	return r;
}

bool runtime_cgroup_remove_empty(const struct runtime_cgroup *cgroup)
{
	struct err ignored;

	if (cgroup_remove_folders(cgroup, 0, &ignored) < 0)
		return false;
	if (cgroup->unit)
		runtime_cgroup_systemd_stop(cgroup);
	return true;
}

/* What was there before stays, whoever's it is. */
static void cgroup_take_back(struct runtime_cgroup *cgroup)
{
	struct err ignored;

	for (size_t i = cgroup->hierarchies.count; i > 0; i--) {
		struct runtime_cgroup_hierarchy *one = &cgroup->hierarchies.items[i - 1];
		if (one->made > 0)
			continue;
		shape_clear(&hierarchy_shape, one);
		*one = cgroup->hierarchies.items[--cgroup->hierarchies.count];
	}
	cgroup_remove_folders(cgroup, REMOVE_TIMEOUT_MS, &ignored);
}

int runtime_cgroup_create_prepared(struct runtime_cgroup *cgroup,
				   const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };

	int r = runtime_cgroup_host_read(&host, e);
	if (r < 0)
		return r;
	cgroup->layout = mem_text(host.layout);
	if (cgroup_is_none(&host)) {
		if (runtime_cgroup_asks_for_limits(resources))
			return err_set(e, ERR_UNSUPPORTED,
				       "limits: no cgroup filesystem is mounted on this host");
		return 0;
	}
	r = runtime_cgroup_is_v2(&host) ? runtime_cgroup_v2_create(cgroup, &host, resources, e)
					: runtime_cgroup_v1_create(cgroup, &host, resources, e);
	if (r < 0) {
		cgroup_take_back(cgroup);
		return err_add(e, "cgroup %s", cgroup->path);
	}
	return 0;
}

int runtime_cgroup_create_in_parent(struct runtime_cgroup *ret, const char *path,
				    const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup cgroup = { 0 };

	int r = cgroup_path(&cgroup.path, path, e);
	if (r == 0)
		r = runtime_cgroup_create_prepared(&cgroup, resources, e);
	if (r < 0)
		return r;
	*ret = cgroup;
	cgroup = (struct runtime_cgroup){ 0 };
	return 0;
}

int runtime_cgroup_open(const struct runtime_cgroup *cgroup, size_t index, struct err *e)
{
	return runtime_cgroup_tree_open(cgroup->hierarchies.items[index].mount,
					runtime_cgroup_hierarchy_is_v2(cgroup, index), cgroup->path,
					e);
}

int runtime_cgroup_open_controller(const struct runtime_cgroup *cgroup, const char *controller)
{
	struct err e;

	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		if (runtime_cgroup_is_v2(cgroup) ||
		    runtime_cgroup_plan_listed(cgroup->hierarchies.items[i].controllers,
					       controller))
			return runtime_cgroup_open(cgroup, i, &e);
	}
	return -ENOENT;
}

int runtime_cgroup_update(struct runtime_cgroup *cgroup, const struct oci_resources *resources,
			  struct err *e)
{
	int r;

	if (cgroup_is_none(cgroup))
		r = err_set(e, ERR_UNSUPPORTED,
			    "limits: no cgroup filesystem is mounted on this host");
	else if (runtime_cgroup_is_v2(cgroup))
		r = runtime_cgroup_v2_update(cgroup, resources, e);
	else
		r = runtime_cgroup_v1_update(cgroup, resources, e);
	if (r < 0)
		return err_add(e, "cgroup %s", cgroup->path);
	return cgroup->unit ? runtime_cgroup_systemd_update(cgroup, resources, e) : 0;
}

static int cgroup_freeze(const struct runtime_cgroup *cgroup, bool frozen, int64_t timeout_ms,
			 struct err *e)
{
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(timeout_ms);

	if (runtime_cgroup_is_v2(cgroup))
		return runtime_cgroup_v2_freeze(cgroup, frozen, deadline_ms, e);
	return runtime_cgroup_v1_freeze(cgroup, frozen, deadline_ms, e);
}

int runtime_cgroup_freeze(const struct runtime_cgroup *cgroup, bool frozen, struct err *e)
{
	return cgroup_freeze(cgroup, frozen, FREEZE_TIMEOUT_MS, e);
}

bool runtime_cgroup_is_frozen(const struct runtime_cgroup *cgroup)
{
	if (runtime_cgroup_is_v2(cgroup))
		return runtime_cgroup_v2_is_frozen(cgroup);
	return runtime_cgroup_v1_is_frozen(cgroup);
}

/* Of v1's hierarchies any one does, as all are joined at once; but behind a killed monitor it is
 * not known which those were, and some of the host's do not have the cgroup. */
static int cgroup_open_any(const struct runtime_cgroup *cgroup, struct err *e)
{
	int folder = -ENOENT;

	for (size_t i = 0; folder == -ENOENT && i < cgroup->hierarchies.count; i++)
		folder = runtime_cgroup_open(cgroup, i, e);
	return folder;
}

static int cgroup_list(const struct runtime_cgroup *cgroup, struct runtime_cgroup_pids *to,
		       struct err *e)
{
	own_fd int folder = cgroup_open_any(cgroup, e);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	int r = runtime_cgroup_tree_list(folder, to);
	return r < 0 ? err_number(e, -r, "list the processes of cgroup %s", cgroup->path) : 0;
}

int runtime_cgroup_list(pid_t **ret, size_t *ret_count, const struct runtime_cgroup *cgroup,
			struct err *e)
{
	struct runtime_cgroup_pids pids = { 0 };

	int r = cgroup_list(cgroup, &pids, e);
	if (r < 0) {
		free(pids.items);
		return r;
	}
	*ret = pids.items;
	*ret_count = pids.count;
	return 0;
}

static int cgroup_list_again(pid_t **ret, size_t *ret_count, const void *context, struct err *e)
{
	return runtime_cgroup_list(ret, ret_count, context, e);
}

static int cgroup_kill_by_list(const struct runtime_cgroup *cgroup, struct err *e)
{
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(FREEZE_TIMEOUT_MS);
	unsigned round = 0;

	/* New ones may be born of what was not yet killed, if it could not be frozen. */
	do {
		struct runtime_cgroup_pids pids = { 0 };
		int r = cgroup_list(cgroup, &pids, e);
		if (r < 0 || pids.count == 0) {
			free(pids.items);
			return r;
		}
		struct err ignored;
		bool frozen = cgroup_freeze(cgroup, true, 100, &ignored) == 0;
		if (frozen) {
			free(pids.items);
			pids = (struct runtime_cgroup_pids){ 0 };
			cgroup_list(cgroup, &pids, &ignored);
		}
		runtime_signal_listed(pids.items, pids.count, SIGKILL, cgroup_list_again, cgroup,
				      &ignored);
		free(pids.items);
		/* frozen tasks die only when thawed; that they were all caught is certain then */
		int thawed = cgroup_freeze(cgroup, false, FREEZE_TIMEOUT_MS, &ignored);
		if (frozen)
			return thawed < 0 ? (*e = ignored, thawed) : 0;
	} while (runtime_cgroup_tree_wait(&round, deadline_ms));
	return err_set(e, ERR_TIMEOUT, "cgroup %s: processes appear faster than they can be killed",
		       cgroup->path);
}

int runtime_cgroup_kill(const struct runtime_cgroup *cgroup, struct err *e)
{
	if (cgroup_is_none(cgroup))
		return 0;
	if (runtime_cgroup_is_v2(cgroup)) {
		int r = runtime_cgroup_v2_kill(cgroup);
		/* a cgroup that is gone has none left; only an old kernel lacks the file */
		if (r == 0)
			return 0;
	}
	return cgroup_kill_by_list(cgroup, e);
}

static int cgroup_oom_add(int folder, void *context)
{
	uint64_t *sum = context;
	uint64_t kills;

	if (runtime_cgroup_tree_read_key(&kills, folder, "memory.oom_control", "oom_kill") == 0)
		*sum += kills;
	return 0;
}

/* v2 counts for the whole tree below; v1 for each cgroup alone, since Linux 4.13. */
uint64_t runtime_cgroup_oom_kills(const struct runtime_cgroup *cgroup)
{
	uint64_t kills = 0;
	own_fd int folder = runtime_cgroup_open_controller(cgroup, "memory");

	if (folder < 0)
		return 0;
	if (!runtime_cgroup_is_v2(cgroup))
		runtime_cgroup_tree_walk(folder, cgroup_oom_add, &kills);
	else if (runtime_cgroup_tree_read_key(&kills, folder, "memory.events", "oom_kill") < 0)
		kills = 0;
	return kills;
}
