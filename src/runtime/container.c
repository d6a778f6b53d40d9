#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_guest.h"
#include "runtime/cgroup_user.h"
#include "runtime/mount_add.h"
#include "runtime/runtime.h"
#include "runtime/signal_listed.h"

static const struct shape mount_added_shape = {
	sizeof(struct runtime_mount_added),
	(const struct shape_field[]){
		{ "destination", SHAPE_STRING, offsetof(struct runtime_mount_added, destination) },
		{ "id", SHAPE_UINT, offsetof(struct runtime_mount_added, id) },
		{ "below", SHAPE_UINT, offsetof(struct runtime_mount_added, below) },
		{ 0 },
	},
};

const struct shape runtime_container_shape = {
	sizeof(struct runtime_container),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, offsetof(struct runtime_container, id) },
		{ "bootId", SHAPE_STRING, offsetof(struct runtime_container, boot_id) },
		{ "pid", SHAPE_INT, offsetof(struct runtime_container, pid) },
		{ "pidStart", SHAPE_UINT, offsetof(struct runtime_container, pid_start) },
		{ "namespaces", SHAPE_STRINGS, offsetof(struct runtime_container, namespaces) },
		{ "cgroup", SHAPE_OBJECT, offsetof(struct runtime_container, cgroup),
		  &runtime_cgroup_shape },
		{ "intelRdt", SHAPE_OBJECT, offsetof(struct runtime_container, intel_rdt),
		  &runtime_intel_rdt_shape },
		{ "deviceRules", SHAPE_LIST, offsetof(struct runtime_container, device_rules),
		  &oci_device_rule_shape },
		{ "devices", SHAPE_LIST, offsetof(struct runtime_container, devices),
		  &oci_device_rule_shape },
		{ "mounts", SHAPE_LIST, offsetof(struct runtime_container, mounts),
		  &mount_added_shape },
		{ 0 },
	},
};

void runtime_container_clear(struct runtime_container *container)
{
	shape_clear(&runtime_container_shape, container);
}

/* Pids and cgroups of another boot mean nothing. */
bool runtime_container_is_of_this_boot(const struct runtime_container *container)
{
	char boot_id[37];
	struct err ignored;

	return container->boot_id && process_boot_id(boot_id, &ignored) == 0 &&
	       strcmp(boot_id, container->boot_id) == 0;
}

int runtime_container_open(const struct runtime_container *container)
{
	if (!runtime_container_is_of_this_boot(container))
		return -ESRCH;
	return process_open((pid_t)container->pid, container->pid_start);
}

static ino_t pid_namespace(pid_t pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int list_namespace(pid_t **ret, size_t *ret_count, pid_t first, struct err *e)
{
	own_dir DIR *proc = opendir("/proc");
	ino_t wanted = pid_namespace(first);
	pid_t *pids = NULL;
	size_t count = 0;

	if (!proc)
		return err_sys(e, "open /proc");
	for (struct dirent *entry; wanted && (entry = readdir(proc));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || pid_namespace(pid) != wanted)
			continue;
		pids = mem_resize(pids, count + 1, sizeof(*pids));
		pids[count++] = pid;
	}
	*ret = pids;
	*ret_count = count;
	return 0;
}

int runtime_container_list(pid_t **ret, size_t *ret_count,
			   const struct runtime_container *container, struct err *e)
{
	if (container->cgroup.hierarchies.count || !strv_contains(&container->namespaces, "pid"))
		return runtime_cgroup_list(ret, ret_count, &container->cgroup, e);
	own_fd int pidfd = runtime_container_open(container);
	if (pidfd >= 0)
		return list_namespace(ret, ret_count, (pid_t)container->pid, e);
	*ret = NULL;
	*ret_count = 0;
	return 0;
}

static int list_again(pid_t **ret, size_t *ret_count, const void *context, struct err *e)
{
	return runtime_container_list(ret, ret_count, context, e);
}

int runtime_signal_all(const struct runtime_container *container, int number, struct err *e)
{
	own_free pid_t *pids = NULL;
	size_t count = 0;

	int r = runtime_container_list(&pids, &count, container, e);
	return r < 0 ? r : runtime_signal_listed(pids, count, number, list_again, container, e);
}

/* With the first process its PID namespace dies; others are found by the cgroup. */
static int kill_all(const struct runtime_container *container, int pidfd, struct err *e)
{
	if (pidfd >= 0)
		process_signal(pidfd, SIGKILL);
	return runtime_cgroup_kill(&container->cgroup, e);
}

int runtime_kill_all(const struct runtime_container *container, struct err *e)
{
	if (!runtime_container_is_of_this_boot(container))
		return 0;
	own_fd int pidfd = process_open((pid_t)container->pid, container->pid_start);
	return kill_all(container, pidfd, e);
}

int runtime_delete(const struct runtime_container *container, struct err *e)
{
	if (!runtime_container_is_of_this_boot(container))
		return 0;
	own_fd int pidfd = process_open((pid_t)container->pid, container->pid_start);
	int r = 0;
	/* behind the first process there are mostly none left to be killed */
	if (pidfd >= 0 || !runtime_cgroup_remove_empty(&container->cgroup)) {
		r = kill_all(container, pidfd, e);
		if (r == 0)
			r = runtime_cgroup_remove(&container->cgroup, e);
	}
	return r < 0 ? r : runtime_intel_rdt_remove_in_parent(&container->intel_rdt, e);
}

/* Where the cgroupfs manager makes it. */
static char *cgroup_path(const struct oci_spec *spec, const char *id)
{
	const char *path = spec->linux_.cgroups_path;

	if (str_empty(path))
		return runtime_cgroup_user_path(id);
	return *path == '/' ? mem_text(path) : mem_format(RUNTIME_CGROUP_PARENT "/%s", path);
}

/* Is nobody in it, at the latest in two seconds? A process of ours sees that its parent is gone and
 * ends by itself; others, whose cgroup a spec named by mistake or by malice, are left in peace. */
static int becomes_empty(const struct runtime_cgroup *cgroup, struct err *e)
{
	for (int tries = 0; tries < 100; tries++) {
		own_free pid_t *pids = NULL;
		size_t count = 0;
		int r = runtime_cgroup_list(&pids, &count, cgroup, e);
		if (r < 0 || count == 0)
			return r < 0 ? r : 1;
		usleep(20000);
	}
	return 0;
}

static int remove_unrecorded_groups(const char *id, const struct oci_spec *spec, struct err *e)
{
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };

	if (!spec->linux_.intel_rdt)
		return 0;
	runtime_intel_rdt_choose(&rdt, spec->linux_.intel_rdt, id);
	return runtime_intel_rdt_remove_in_parent(&rdt, e);
}

int runtime_delete_unrecorded(const char *id, const struct oci_spec *spec, struct err *e)
{
	own_clear(runtime_container_clear) struct runtime_container container = { 0 };

	int r = runtime_cgroup_host_read(&container.cgroup, e);
	if (r < 0)
		return r;
	free(container.cgroup.path);
	container.cgroup.path = cgroup_path(spec, id);
	runtime_cgroup_guest_add_lost(&container.cgroup, &spec->annotations);
	r = becomes_empty(&container.cgroup, e);
	if (r > 0)
		r = runtime_cgroup_remove(&container.cgroup, e);
	return r < 0 ? r : remove_unrecorded_groups(id, spec, e);
}
