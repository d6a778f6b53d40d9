#include "runtime/update.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device_add.h"
#include "runtime/runtime.h"

/* What replaces the spec's rules is remembered: a device that is added later comes on top of it. */
static void take_rules(struct runtime_container *container, struct oci_resources *resources)
{
	struct oci_resources old = { 0 };

	if (!resources->devices.count)
		return;
	old.devices.items = container->device_rules.items;
	old.devices.count = container->device_rules.count;
	container->device_rules.items = resources->devices.items;
	container->device_rules.count = resources->devices.count;
	resources->devices = old.devices;
}

int runtime_update(struct runtime_container *container, struct oci_resources *resources,
		   struct err *e)
{
	struct oci_resources all = *resources; /* borrows */
	own_fd int process = runtime_container_open(container);

	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	own_free struct oci_device_rule *rules = runtime_cgroup_device_join(&all, container);
	int r = runtime_cgroup_update(&container->cgroup, &all, e);
	if (r == 0)
		take_rules(container, resources);
	return r;
}

/* ---- Intel RDT ---- */

/* resctrl knows threads. A thread's children are where it is: what is forked meanwhile by one that
 * has not been moved yet is moved in the next round. */
static int join_threads(const struct runtime_container *container, int root_fd, pid_t pid,
			size_t *count, struct err *e)
{
	own_free char *path = mem_format("/proc/%d/task", (int)pid);
	own_dir DIR *threads = opendir(path);
	const struct dirent *entry;

	while (threads && (entry = readdir(threads))) {
		uint64_t tid;
		if (number_parse_u64(&tid, entry->d_name, INT32_MAX, e) < 0)
			continue; /* "." and ".." */
		int r = runtime_intel_rdt_join(&container->intel_rdt, root_fd, (pid_t)tid, e);
		if (r < 0 && e->number != ESRCH)
			return r;
		(*count)++;
	}
	return 0;
}

static int join_all(const struct runtime_container *container, int root_fd, struct err *e)
{
	size_t last, now = 0;

	do {
		own_free pid_t *pids = NULL;
		size_t count = 0;
		last = now;
		now = 0;
		int r = runtime_container_list(&pids, &count, container, e);
		for (size_t i = 0; r == 0 && i < count; i++)
			r = join_threads(container, root_fd, pids[i], &now, e);
		if (r < 0)
			return r;
	} while (now > last);
	return 0;
}

static int join_new(struct runtime_container *container, const struct oci_intel_rdt *spec,
		    int root_fd, struct err *e)
{
	struct runtime_intel_rdt made = { 0 };

	int r = runtime_intel_rdt_make(&made, root_fd, spec, container->id, e);
	runtime_intel_rdt_clear(&made);
	if (r < 0)
		return r;
	r = join_all(container, root_fd, e);
	if (r < 0) {
		struct err ignored;
		runtime_intel_rdt_remove(&container->intel_rdt, root_fd, &ignored);
	}
	return r;
}

int runtime_update_intel_rdt(struct runtime_container *container, const struct oci_intel_rdt *spec,
			     const struct runtime_store *store, struct err *e)
{
	own_fd int process = runtime_container_open(container);

	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	own_fd int root = runtime_intel_rdt_open(e);
	if (root < 0)
		return root;
	if (container->intel_rdt.group)
		return runtime_intel_rdt_change(&container->intel_rdt, root, spec, e);
	runtime_intel_rdt_choose(&container->intel_rdt, spec, container->id);
	int r = store->function(store->context, e);
	if (r == 0)
		r = join_new(container, spec, root, e);
	if (r < 0)
		runtime_intel_rdt_clear(&container->intel_rdt);
	return r;
}
