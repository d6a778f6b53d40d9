/* restore.c - runtime_restore(): criu runs in the container's new cgroup, and in a mount namespace
 * where the root filesystem is attached to a folder; the processes that it makes inherit the first
 * and get a mount namespace of their own. The first of them becomes our child. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/process.h"
#include "base/sealed.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_choose.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/checkpoint.h"
#include "runtime/checkpoint_layout.h"
#include "runtime/criu.h"
#include "runtime/criu_rpc.h"
#include "runtime/namespace.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"

enum { STREAMS_BYTES_MAX = 64 << 10 };

#define PID_FILE "restored.pid"

struct restore {
	const struct oci_spec *spec;
	const struct runtime_options *options;
	const struct runtime_criu_options *criu;
	const char *scratch;
	pid_t parent; /* of criu */
	int images;
	int rootfs;
	int network; /* -1: the container's own */
	int program; /* of the first process, where that is not the container's own; -1 */
	struct runtime_cgroup_entry entry;
	struct strv arguments;
};

static void restore_clear(struct restore *r)
{
	int *fds[] = { &r->images, &r->rootfs, &r->network, &r->program };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (*fds[i] >= 0)
			close(take_fd(fds[i]));
	runtime_cgroup_entry_close(&r->entry);
	strv_clear(&r->arguments);
}

/* ---- arguments ---- */

static void inherit(struct restore *r, struct json_object *what, int fd)
{
	const char *name = json_object_get_string(what);

	if (str_empty(name) || *name == '/' || fd < 0)
		return;
	strv_add(&r->arguments, "--inherit-fd");
	strv_addf(&r->arguments, "fd[%d]:%s", fd, name);
}

/* The bytes that were mapped when it was stored, which those of today's holm-init may not be. */
static int open_program(struct restore *r, struct err *e)
{
	own_fd int copy =
		openat(r->images, RUNTIME_CHECKPOINT_PROGRAM, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (copy < 0)
		return err_sys(e, "open the stored program of the container's first process");
	r->program = sealed_open(copy, e);
	return r->program < 0 ? r->program : 0;
}

static int add_streams(struct restore *r, struct err *e)
{
	own_json struct json_object *array = NULL;

	int result =
		json_read_at(&array, r->images, RUNTIME_CHECKPOINT_STREAMS, STREAMS_BYTES_MAX, e);
	if (result < 0)
		return result;
	for (size_t i = 0; i < 3 && i < json_object_array_length(array); i++)
		inherit(r, json_object_array_get_idx(array, i), r->options->stdio[i]);
	if (json_object_array_length(array) <= 3)
		return 0;
	result = open_program(r, e);
	inherit(r, json_object_array_get_idx(array, 3), r->program);
	return result;
}

static void add_cgroups(struct strv *to, const struct runtime_cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		const char *controllers = cgroup->hierarchies.items[i].controllers;
		strv_add(to, "--cgroup-root");
		strv_addf(to, "%s%s%s", controllers, str_empty(controllers) ? "" : ":",
			  cgroup->path);
	}
}

static int add_network(struct restore *r, struct err *e)
{
	const struct oci_namespace *network = oci_spec_namespace(r->spec, "network");

	if (!network || str_empty(network->path))
		return 0;
	r->network = open(network->path, O_RDONLY | O_CLOEXEC);
	if (r->network < 0)
		return err_sys(e, "open the network namespace %s", network->path);
	strv_add(&r->arguments, "--inherit-fd");
	strv_addf(&r->arguments, "fd[%d]:" RUNTIME_CHECKPOINT_NETWORK, r->network);
	return 0;
}

static int add_arguments(struct restore *r, const struct runtime_cgroup *cgroup, struct err *e)
{
	struct strv *to = &r->arguments;

	runtime_criu_arguments(to, "restore", r->criu, r->spec);
	strv_add(to, "--log-file");
	strv_add(to, RUNTIME_CHECKPOINT_RESTORE_LOG);
	strv_add(to, "--restore-detached");
	strv_add(to, "--restore-sibling");
	strv_add(to, "--pidfile");
	strv_addf(to, "/proc/self/fd/%d/" PID_FILE, r->images);
	strv_add(to, "--root");
	strv_add(to, r->scratch);
	if (r->criu->lazy_pages)
		strv_add(to, "--lazy-pages");
	if (r->criu->lsm_profile)
		strv_addf(to, "--lsm-profile=%s", r->criu->lsm_profile);
	if (r->criu->lsm_mount_context)
		strv_addf(to, "--lsm-mount-context=%s", r->criu->lsm_mount_context);
	add_cgroups(to, cgroup);
	runtime_checkpoint_binds(to, r->spec, r->options->bundle);
	int result = add_network(r, e);
	return result < 0 ? result : add_streams(r, e);
}

/* ---- in the child that becomes criu ---- */

static int prepare(void *context, struct err *e)
{
	const struct restore *r = context;

	/* who would reap what it makes has gone then */
	int result = r->options->die_with_parent ? process_die_with(r->parent) : 0;
	if (result < 0)
		return err_number(e, -result, "die with the parent");
	result = runtime_cgroup_enter_self_in_child(&r->entry, false, e);
	if (result < 0)
		return result;
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "make a mount namespace for criu");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make all mounts slaves");
	if (move_mount(r->rootfs, "", AT_FDCWD, r->scratch, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "attach the root filesystem");
	return 0;
}

/* ---- the whole ---- */

static int read_pid(pid_t *ret, int images, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	uint64_t pid;

	int r = fd_read_file_at(images, PID_FILE, 32, &text, e);
	if (r == 0)
		r = number_parse_u64(&pid, text.text ? text.text : "", INT32_MAX, e);
	unlinkat(images, PID_FILE, 0);
	if (r < 0)
		return err_add(e, "criu's pid file");
	*ret = (pid_t)pid;
	return 0;
}

/* A terminal is made by criu, which hands its master over its service's socket. */
static int run_criu(struct runtime_process *ret, const struct restore *r,
		    const struct runtime_criu_call *call, struct err *e)
{
	bool terminal = r->spec->process && r->spec->process->terminal;
	struct runtime_criu_answer answer = { .terminal = -1 };

	bool service = terminal || r->criu->service;
	int result = service ? runtime_criu_rpc_run(&answer, call, e) : runtime_criu_run(call, e);
	if (result == 0 && !service)
		result = read_pid(&answer.pid, r->images, e);
	if (result < 0)
		return result;
	ret->pid = answer.pid;
	ret->terminal = answer.terminal;
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	if (ret->pidfd < 0)
		return err_sys(e, "open the restored process");
	if (terminal && ret->terminal < 0)
		return err_set(e, ERR_INVALID, "the container that was stored had no terminal");
	return 0;
}

static int name(struct runtime_container *to, const char *id, struct err *e)
{
	char boot_id[37];

	int result = process_boot_id(boot_id, e);
	if (result < 0)
		return result;
	to->id = mem_text(id);
	to->boot_id = mem_text(boot_id);
	return 0;
}

static int remember(struct runtime_container *ret, const struct restore *r,
		    const struct runtime_process *process, struct err *e)
{
	struct runtime_namespaces namespaces;

	int result = runtime_namespace_open_in_parent(&namespaces, r->spec, e);
	if (result < 0)
		return result;
	runtime_namespace_names(&ret->namespaces, &namespaces);
	runtime_namespace_close(&namespaces);
	ret->pid = process->pid;
	if (process_start_time(process->pid, &ret->pid_start) < 0)
		return err_set(e, ERR_SYSTEM, "the restored process ended at once");
	return 0;
}

static int run(struct runtime_container *ret, struct runtime_process *process, struct restore *r,
	       struct err *e)
{
	int result = runtime_cgroup_entry_open(&r->entry, &ret->cgroup, NULL, e);
	if (result == 0)
		result = add_arguments(r, &ret->cgroup, e);
	if (result < 0)
		return result;
	unlinkat(r->images, PID_FILE, 0); /* criu makes it anew, or fails */
	const int inherited[] = { r->images,
				  r->network,
				  r->program,
				  r->options->stdio[0],
				  r->options->stdio[1],
				  r->options->stdio[2] };
	const struct runtime_criu_call call = { .arguments = &r->arguments,
						.options = r->criu,
						.log = RUNTIME_CHECKPOINT_RESTORE_LOG,
						.inherit = inherited,
						.inherit_count = COUNT_OF(inherited),
						.prepare = prepare,
						.context = r };
	result = run_criu(process, r, &call, e);
	return result < 0 ? result : remember(ret, r, process, e);
}

int runtime_restore(struct runtime_container *to, struct runtime_process *ret,
		    const struct oci_spec *spec, const struct runtime_options *options,
		    const struct runtime_criu_options *criu, const char *scratch,
		    const struct runtime_store *store, struct err *e)
{
	own_clear(restore_clear) struct restore r = { .spec = spec,
						      .options = options,
						      .criu = criu,
						      .parent = getpid(),
						      .scratch = scratch,
						      .images = -1,
						      .rootfs = -1,
						      .network = -1,
						      .program = -1,
						      .entry = { .folder = -1 } };
	struct runtime_process process = RUNTIME_PROCESS_INIT;

	int result = runtime_criu_check(e);
	if (result < 0)
		return result;
	r.images = open(criu->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.images < 0)
		return err_sys(e, "open the folder of images %s", criu->image_path);
	r.rootfs = runtime_rootfs_open_in_parent(spec, options->bundle, NULL, e);
	if (r.rootfs < 0)
		return r.rootfs;
	result = name(to, options->id, e);
	if (result == 0)
		result = runtime_cgroup_choose_in_parent(&to->cgroup, spec, options, e);
	if (result < 0) {
		runtime_container_clear(to);
		return err_add(e, "cgroup");
	}
	result = store ? store->function(store->context, e) : 0;
	if (result == 0)
		result = run(to, &process, &r, e);
	runtime_cgroup_settle(&to->cgroup);
	if (result < 0) {
		struct err ignored;
		runtime_process_kill(&process);
		runtime_cgroup_kill(&to->cgroup, &ignored);
		runtime_cgroup_remove(&to->cgroup, &ignored);
		runtime_container_clear(to);
		return result;
	}
	process.program = take_fd(&r.program);
	*ret = process;
	return 0;
}
