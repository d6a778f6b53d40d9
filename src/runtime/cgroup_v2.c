/* cgroup v2: one tree. Every folder above the container's hands controllers down by its
 * cgroup.subtree_control, which the kernel refuses for one that has processes itself (the "no
 * internal processes" rule; only the real root is exempt). holm never moves processes of others
 * out of the way: it says so. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_memory.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_tree.h"
#include "runtime/cgroup_undo.h"

/* Handed down whether or not there is a limit: they count and contain. The others cost something
 * and come with a limit of theirs. */
static const char *const wanted[] = { "cpu", "memory", "pids" };

/* A dozen names. */
#define CONTROLLERS_BYTES_MAX 4096

static bool v2_is_planned(const struct runtime_cgroup_plan *plan, const char *controller)
{
	return runtime_cgroup_plan_has(plan, controller);
}

static bool v2_is_wanted(const struct runtime_cgroup_plan *plan, const char *controller)
{
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		if (str_equal(wanted[i], controller))
			return true;
	}
	return v2_is_planned(plan, controller);
}

/* Reads "cpu memory pids" as "cpu,memory,pids". */
static int v2_read_controllers(struct str *to, int folder, const char *file, struct err *e)
{
	int r = fd_read_file_at(folder, file, CONTROLLERS_BYTES_MAX, to, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < to->length; i++) {
		if (to->text[i] == ' ')
			to->text[i] = ',';
		if (to->text[i] == '\n')
			to->text[i] = '\0';
	}
	return 0;
}

static int v2_explain_enable(int r, const char *controller, const char *path, struct err *e)
{
	err_number(e, -r, "hand controller %s down from cgroup %s", controller, *path ? path : "/");
	if (r == -EBUSY || r == -EOPNOTSUPP)
		err_hint(e, "a cgroup with processes of its own cannot have limited ones below it: "
			    "move them into a cgroup below it first, as in mkdir X/leaf; "
			    "echo PID > X/leaf/cgroup.procs");
	if (r == -EACCES || r == -EPERM || r == -EROFS)
		err_hint(e, "this part of the cgroup tree is not delegated to you");
	return r;
}

/* Turns on what is wanted and available, one by one: one that is refused must not keep the
 * others off. Only a planned one is worth failing for. */
static int v2_enable(int folder, const char *path, const struct runtime_cgroup_plan *plan,
		     struct err *e)
{
	own_clear(str_clear) struct str offered = { 0 };
	own_clear(str_clear) struct str enabled = { 0 };
	char *rest;

	int r = v2_read_controllers(&offered, folder, "cgroup.controllers", e);
	if (r == 0)
		r = v2_read_controllers(&enabled, folder, "cgroup.subtree_control", e);
	if (r < 0)
		return err_add(e, "cgroup %s", path);
	for (char *one = offered.text ? strtok_r(offered.text, ",", &rest) : NULL; one;
	     one = strtok_r(NULL, ",", &rest)) {
		char text[64];
		struct err refused;
		if (!v2_is_wanted(plan, one) ||
		    (enabled.text && runtime_cgroup_plan_listed(enabled.text, one)))
			continue;
		snprintf(text, sizeof(text), "+%s", one);
		r = fd_write_control_at(folder, "cgroup.subtree_control", text, &refused);
		if (r < 0 && v2_is_planned(plan, one))
			return v2_explain_enable(r, one, path, e);
	}
	return 0;
}

/* Makes the folders of path one by one, each above the last handing its controllers down.
 * Returns 1 if the last is new. */
static int v2_make(int root, const char *path, const struct runtime_cgroup_plan *plan, size_t *made,
		   struct err *e)
{
	own_free char *copy = mem_text(path);

	for (char *slash = copy;; slash = strchr(slash + 1, '/')) {
		if (!slash)
			return runtime_cgroup_tree_make(root, path, made, e);
		*slash = '\0';
		if (*copy) {
			int r = runtime_cgroup_tree_make(root, copy, made, e);
			if (r < 0)
				return r;
		}
		own_fd int folder = runtime_cgroup_tree_open_at(root, copy);
		if (folder < 0)
			return err_number(e, -folder, "open cgroup %s", copy);
		int r = v2_enable(folder, copy, plan, e);
		if (r < 0)
			return r;
		*slash = '/';
	}
}

static int v2_check_present(int folder, const struct runtime_cgroup_plan *plan, struct err *e)
{
	own_clear(str_clear) struct str present = { 0 };

	if (plan->count == 0)
		return 0;
	int r = v2_read_controllers(&present, folder, "cgroup.controllers", e);
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		const struct runtime_cgroup_write *write = &plan->items[i];
		if (!present.text || !runtime_cgroup_plan_listed(present.text, write->controller))
			return runtime_cgroup_missing(write->controller, write->file, e);
	}
	return r;
}

static int v2_limit(int folder, const struct runtime_cgroup_plan *plan,
		    const struct oci_resources *resources, struct runtime_cgroup_undo *undo,
		    struct err *e)
{
	int r = v2_check_present(folder, plan, e);

	if (r == 0)
		r = runtime_cgroup_plan_apply(plan, NULL, folder, undo, e);
	if (r == 0 && resources)
		r = runtime_cgroup_device_bpf_attach(folder, resources, e);
	return r;
}

static int v2_enter_check(int folder, const char *path, bool old, struct err *e)
{
	uint64_t frozen = 0;
	int r = old ? runtime_cgroup_check_empty(folder, path, e) : 0;

	if (r == 0 &&
	    runtime_cgroup_tree_read_key(&frozen, folder, "cgroup.events", "frozen") == 0 && frozen)
		r = runtime_cgroup_frozen_above(path, e);
	return r;
}

static int v2_create_below(int root, struct runtime_cgroup *cgroup, size_t *made,
			   const struct runtime_cgroup_plan *plan,
			   const struct oci_resources *resources, struct err *e)
{
	int made_last = -ENOENT;

	/* Another holm may remove an empty /holm between two steps; then it starts again. */
	for (unsigned round = 0; round < 100; round++) {
		made_last = v2_make(root, cgroup->path, plan, made, e);
		if (made_last != -ENOENT && made_last != -ENODEV)
			break;
	}
	if (made_last < 0)
		return made_last;
	own_fd int folder = runtime_cgroup_tree_open_at(root, cgroup->path);
	if (folder < 0)
		return err_number(e, -folder, "open cgroup %s", cgroup->path);
	int r = v2_enter_check(folder, cgroup->path, made_last == 0, e);
	return r < 0 ? r : v2_limit(folder, plan, resources, NULL, e);
}

int runtime_cgroup_v2_create(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			     const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };
	const char *mount = host->hierarchies.items[0].mount;
	size_t made = 0;

	int r = resources ? runtime_cgroup_plan_v2(&plan, resources, e) : 0;
	if (r < 0)
		return r;
	own_fd int root = runtime_cgroup_tree_open_root(mount, true, e);
	if (root < 0)
		return root;
	r = v2_create_below(root, cgroup, &made, &plan, resources, e);
	if (r == 0 || made > 0) {
		struct runtime_cgroup_hierarchy *only = shape_list_add(&cgroup->hierarchies);
		only->controllers = mem_text("");
		only->mount = mem_text(mount);
		only->made = made;
	}
	return r < 0 ? err_add(e, "%s", mount) : 0;
}

/* cpu.max holds quota and period: a new period alone leaves the quota. */
static void v2_keep_quota(int folder, struct runtime_cgroup_plan *plan,
			  const struct oci_resources *resources)
{
	const struct oci_resources_cpu *cpu = resources->cpu;
	own_clear(str_clear) struct str now = { 0 };

	if (!cpu || !cpu->period || !*cpu->period || (cpu->quota && *cpu->quota) ||
	    runtime_cgroup_tree_read(folder, "cpu.max", &now) < 0 || !now.text)
		return;
	for (size_t i = 0; i < plan->count; i++) {
		struct runtime_cgroup_write *write = &plan->items[i];
		if (!str_equal(write->file, "cpu.max"))
			continue;
		free(write->value);
		write->value = mem_format("%.*s %llu", (int)strcspn(now.text, " \n"), now.text,
					  (unsigned long long)*cpu->period);
		return;
	}
}

static int v2_change(int folder, struct runtime_cgroup_plan *plan,
		     const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_undo_clear) struct runtime_cgroup_undo undo = { 0 };

	v2_keep_quota(folder, plan, resources);
	int r = runtime_cgroup_memory_check(folder, resources, true, e);
	if (r == 0)
		r = v2_limit(folder, plan, resources, &undo, e);
	if (r < 0)
		runtime_cgroup_undo_run(&undo);
	return r;
}

/* A controller that had no limit so far is handed down now; processes need no moving. */
int runtime_cgroup_v2_update(const struct runtime_cgroup *cgroup,
			     const struct oci_resources *resources, struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };

	int r = runtime_cgroup_plan_v2(&plan, resources, e);
	if (r < 0)
		return r;
	own_fd int folder = runtime_cgroup_open(cgroup, 0, e);
	if (folder < 0)
		return folder;
	own_fd int root =
		runtime_cgroup_tree_open_root(cgroup->hierarchies.items[0].mount, true, e);
	if (root < 0)
		return root;
	size_t made = 0;
	r = v2_make(root, cgroup->path, &plan, &made, e);
	return r < 0 ? r : v2_change(folder, &plan, resources, e);
}

/* Is one of the cgroups above told to be frozen? It cannot be thawed from here. */
static int v2_check_thawed_above(const struct runtime_cgroup *cgroup, struct err *e)
{
	own_free char *path = mem_text(cgroup->path);

	own_fd int root =
		runtime_cgroup_tree_open_root(cgroup->hierarchies.items[0].mount, true, e);
	if (root < 0)
		return root;
	for (char *slash = strrchr(path, '/'); slash && slash > path; slash = strrchr(path, '/')) {
		*slash = '\0';
		own_fd int folder = runtime_cgroup_tree_open_at(root, path);
		if (folder >= 0 && runtime_cgroup_tree_count(folder, "cgroup.freeze"))
			return runtime_cgroup_frozen_above(path, e);
	}
	return 0;
}

/* cgroup.events is pollable, so nothing is lost and nothing is busy. */
int runtime_cgroup_v2_freeze(const struct runtime_cgroup *cgroup, bool frozen, int64_t deadline_ms,
			     struct err *e)
{
	own_fd int folder = runtime_cgroup_open(cgroup, 0, e);
	if (folder < 0)
		return folder;
	own_fd int events = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return err_sys(e, "open cgroup.events");
	int r = fd_write_control_at(folder, "cgroup.freeze", frozen ? "1" : "0", e);
	if (r == 0 && !frozen)
		r = v2_check_thawed_above(cgroup, e);
	while (r == 0) {
		struct pollfd wait = { .fd = events, .events = POLLPRI };
		char text[256] = { 0 };
		/* a read of the polled descriptor is what arms it: kernfs(9) */
		if (pread(events, text, sizeof(text) - 1, 0) < 0)
			return err_sys(e, "read cgroup.events");
		if (strstr(text, frozen ? "frozen 1" : "frozen 0"))
			return 0;
		int64_t left = deadline_ms - runtime_cgroup_tree_deadline_ms(0);
		if (left <= 0)
			break;
		poll(&wait, 1, (int)left);
	}
	if (r < 0)
		return r;
	if (frozen) {
		struct err ignored;
		fd_write_control_at(folder, "cgroup.freeze", "0", &ignored);
	}
	return err_set(e, ERR_TIMEOUT, "a process in cgroup %s cannot be %s", cgroup->path,
		       frozen ? "frozen" : "thawed");
}

bool runtime_cgroup_v2_is_frozen(const struct runtime_cgroup *cgroup)
{
	struct err ignored;
	uint64_t frozen = 0;
	own_fd int folder = runtime_cgroup_open(cgroup, 0, &ignored);

	return folder >= 0 && runtime_cgroup_tree_read_u64(&frozen, folder, "cgroup.freeze") == 0 &&
	       frozen;
}

int runtime_cgroup_v2_kill(const struct runtime_cgroup *cgroup)
{
	struct err e;
	own_fd int folder = runtime_cgroup_open(cgroup, 0, &e);

	return folder < 0 ? folder : fd_write_control_at(folder, "cgroup.kill", "1", &e);
}
