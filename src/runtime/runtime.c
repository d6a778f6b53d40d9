/* runtime.c - the parent's side: clone3(2), what only the parent can do, and the undoing. What is
 * said between parent and child stands in conversation.c. */
#include "runtime/runtime.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_choose.h"
#include "runtime/cgroup_delegate.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/channel.h"
#include "runtime/clone.h"
#include "runtime/command.h"
#include "runtime/conversation.h"
#include "runtime/cover.h"
#include "runtime/enter.h"
#include "runtime/hooks.h"
#include "runtime/scheduler.h"
#include "runtime/setup.h"
#include "runtime/user_namespace.h"

void runtime_process_close(struct runtime_process *process)
{
	int fds[] = { process->pidfd, process->terminal, process->program, process->channel };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(process->command);
	*process = (struct runtime_process)RUNTIME_PROCESS_INIT;
}

void runtime_process_kill(struct runtime_process *process)
{
	if (process->pidfd >= 0)
		process_signal(process->pidfd, SIGKILL);
	if (process->pid > 0)
		process_wait(process->pid);
	runtime_process_close(process);
}

/* ---- create ---- */

_Noreturn static void child(struct runtime_setup *setup, int channel, int other_end)
{
	struct err error;

	close(other_end);
	runtime_cover_leave_in_child(setup->launch.options->covers);
	setup->launch.channel = channel;
	runtime_setup_in_child(setup, &error);
	runtime_channel_send_error(setup->launch.channel, &error);
	_exit(125);
}

/* CLONE_INTO_CGROUP is refused where this process may not move there (a delegated tree): the child
 * then goes by itself. */
static pid_t clone_child(struct runtime_setup *setup, int *pidfd)
{
	uint64_t flags = runtime_setup_clone_flags(setup);

	if (setup->entry.folder < 0)
		return runtime_clone(flags, -1, pidfd);
	setup->entered = true;
	pid_t pid = runtime_clone(flags, setup->entry.folder, pidfd);
	if (pid >= 0 || (pid != -EACCES && pid != -EINVAL && pid != -EOPNOTSUPP))
		return pid;
	setup->entered = false;
	return runtime_clone(flags, -1, pidfd);
}

static int give_ids(const struct runtime_setup *setup, const struct runtime_process *process,
		    struct err *e)
{
	if (!(runtime_setup_clone_flags(setup) & CLONE_NEWUSER))
		return 0;
	int r = runtime_user_namespace_write_in_parent(process->pid, &setup->user.ids, e);
	return r < 0 ? err_add(e, "user namespace") : 0;
}

/* Ends what the child waits for first. */
static int release(const struct runtime_launch *launch, const struct runtime_process *process,
		   struct err *e)
{
	if (!launch->wait)
		return 0;
	if (runtime_rights_has_oom_score(launch->process)) {
		int r = runtime_rights_set_oom_score(process->pid, launch->spec, launch->process,
						     e);
		if (r < 0)
			return r;
	}
	return runtime_channel_send(process->channel, RUNTIME_MESSAGE_PREPARED, 0, NULL, 0, e);
}

/* ENOSYS: clone3(2) is older than all else that is needed, and clone(2) was refused, too. */
static int explain_clone(int number, struct err *e)
{
	err_number(e, number, "clone the container's process");
	if (number == ENOSYS)
		return err_hint(e, "a seccomp filter forbids it: a container around this one has "
				   "to be privileged");
	if (number == ENOSPC)
		return err_hint(e, "a container around this one has as many as its --children-max, "
				   "or see /proc/sys/user/max_*_namespaces");
	return -number;
}

static int spawn(struct runtime_setup *setup, struct runtime_process *process, struct err *e)
{
	int ends[2];

	int r = runtime_channel_open(ends, e);
	if (r < 0)
		return r;
	process->channel = ends[0];
	process->command = mem_text(setup->spec->process->args.items[0]);
	process->covers = setup->launch.options->covers;
	pid_t pid = clone_child(setup, &process->pidfd);
	if (pid == 0)
		child(setup, ends[1], ends[0]);
	close(ends[1]);
	if (pid < 0)
		return explain_clone(-pid, e);
	process->pid = pid;
	r = give_ids(setup, process, e);
	if (r == 0)
		r = release(&setup->launch, process, e);
	if (r == 0)
		r = runtime_conversation_hold_in_parent(process, &setup->launch,
							runtime_setup_forks(setup), e);
	return r < 0 ? r
		     : runtime_scheduler_apply_in_parent(process->pid,
							 setup->launch.process->scheduler, e);
}

static int remember(struct runtime_container *ret, const struct runtime_setup *setup,
		    const struct runtime_process *process, const struct runtime_options *options,
		    struct err *e)
{
	char boot_id[37];

	int r = process_boot_id(boot_id, e);
	if (r < 0)
		return r;
	ret->id = mem_text(options->id);
	ret->boot_id = mem_text(boot_id);
	ret->pid = process->pid;
	runtime_namespace_names(&ret->namespaces, &setup->namespaces);
	own_free char *names = strv_join(&ret->namespaces, " ");
	log_debug("process %d: namespaces %s", (int)process->pid, names);
	if (process_start_time(process->pid, &ret->pid_start) < 0)
		return err_set(e, ERR_SYSTEM, "the container's process ended at once");
	return 0;
}

/* What the kernel killed for want of memory says nothing itself. */
static int explain_oom(const struct runtime_cgroup *cgroup, const struct oci_resources *resources,
		       struct err *e)
{
	const struct oci_resources_memory *memory = resources ? resources->memory : NULL;

	if (!memory || !memory->limit || *memory->limit <= 0 || !runtime_cgroup_oom_killed(cgroup))
		return -e->number;
	return err_set(e, ERR_INVALID,
		       "the memory limit of %lld bytes is too small to start the container",
		       (long long)*memory->limit);
}

/* crun's: whoever listens there has the process without a race about its number. */
static int send_pidfd(const struct oci_spec *spec, const struct runtime_process *process,
		      struct err *e)
{
	const char *path = shape_map_get(&spec->annotations, "run.oci.pidfd_receiver");

	if (str_empty(path))
		return 0;
	int r = socket_send_fd(path, "pidfd", strlen("pidfd"), process->pidfd, e);
	return r < 0 ? err_add(e, "run.oci.pidfd_receiver") : 0;
}

static bool has_writable_cgroups(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		const struct oci_mount *mount = &spec->mounts.items[i];
		if (str_equal(mount->type, "cgroup") || str_equal(mount->type, "cgroup2"))
			return !strv_contains(&mount->options, "ro");
	}
	return false;
}

/* Root of a user namespace, who sees its own part of the tree and may write there, owns that. */
static int delegate(struct runtime_cgroup *cgroup, const struct runtime_setup *setup, struct err *e)
{
	const struct runtime_idmap *ids = &setup->user.ids;
	uint32_t uid, gid;

	int r = runtime_cgroup_delegate_leaf(cgroup, &setup->spec->annotations, e);
	if (r < 0 || !(setup->namespaces.own & CLONE_NEWUSER) ||
	    !(setup->namespaces.own & CLONE_NEWCGROUP) || !has_writable_cgroups(setup->spec) ||
	    !runtime_idmap_to_host(&uid, &ids->uids, 0) ||
	    !runtime_idmap_to_host(&gid, &ids->gids, 0) || uid == geteuid())
		return r;
	return runtime_cgroup_delegate_to(cgroup, uid, gid, e);
}

static int create_in_cgroup(struct runtime_container *ret, struct runtime_process *process,
			    struct runtime_setup *setup, const struct runtime_options *options,
			    struct err *e)
{
	setup->cgroup = &ret->cgroup;
	log_debug("cgroup %s of layout %s%s%s",
		  ret->cgroup.path ? ret->cgroup.path : "of the caller", ret->cgroup.layout,
		  ret->cgroup.unit ? ", unit " : "", ret->cgroup.unit ? ret->cgroup.unit : "");
	int r = delegate(&ret->cgroup, setup, e);
	if (r == 0)
		r = runtime_cgroup_entry_open(&setup->entry, &ret->cgroup, NULL, e);
	if (r == 0)
		r = spawn(setup, process, e);
	if (r == 0)
		r = runtime_intel_rdt_join_in_parent(&ret->intel_rdt, process->pid, e);
	if (r == 0)
		r = remember(ret, setup, process, options, e);
	if (r == 0)
		r = send_pidfd(setup->spec, process, e);
	if (r < 0) {
		r = explain_oom(&ret->cgroup, setup->spec->linux_.resources, e);
		runtime_process_kill(process);
	}
	return r;
}

int runtime_create(struct runtime_container *ret_container, struct runtime_process *ret,
		   const struct oci_spec *spec, const struct runtime_options *options,
		   struct err *e)
{
	own_clear(runtime_setup_clear) struct runtime_setup setup;
	own_clear(runtime_container_clear) struct runtime_container container = { 0 };
	struct runtime_process process = RUNTIME_PROCESS_INIT;

	/* hooks that ran before are to be undone by those of the end */
	bool begun = shape_map_get(&spec->annotations, RUNTIME_HOOKS_MORE);
	int r = runtime_setup_prepare_in_parent(&setup, spec, options, e);
	if (r == 0 && runtime_cgroup_choose_in_parent(&container.cgroup, spec, options, e) < 0)
		r = err_add(e, "cgroup");
	if (r < 0 && begun)
		runtime_hooks_poststop(spec, options->id, options->bundle);
	if (r < 0)
		return r;
	r = runtime_intel_rdt_make_in_parent(&container.intel_rdt, spec->linux_.intel_rdt,
					     options->id, e);
	if (r == 0)
		r = create_in_cgroup(&container, &process, &setup, options, e);
	runtime_cgroup_settle(&container.cgroup);
	if (r < 0) {
		struct err ignored;
		runtime_intel_rdt_remove_in_parent(&container.intel_rdt, &ignored);
		runtime_cgroup_kill(&container.cgroup, &ignored);
		runtime_cgroup_remove(&container.cgroup, &ignored);
		runtime_hooks_poststop(spec, options->id, options->bundle);
		return r;
	}
	*ret_container = container;
	container = (struct runtime_container){ 0 };
	process.program = take_fd(&setup.launch.init_fd);
	*ret = process;
	return 0;
}

/* ---- start ---- */

/* A channel that is closed without a word has been closed by exec(2). */
static int hear_of_exec(struct runtime_process *process, struct err *e)
{
	own_fd int channel = take_fd(&process->channel);
	const char *command = process->command ? process->command : "the command";
	int number = 0;

	/* a hook of the container's may look at what is covered */
	runtime_cover_serve_in_parent(process->covers, (int[]){ channel, -1 });
	int r = runtime_channel_receive(channel, &number, NULL, e);
	if (r < 0)
		return r;
	if (r == RUNTIME_MESSAGE_NO_EXEC)
		return runtime_command_exec_error(e, number > 0 ? number : EIO, command);
	if (r == RUNTIME_MESSAGE_FAILED)
		return -e->number;
	log_debug("process %d: started", (int)process->pid);
	return 0;
}

int runtime_start(struct runtime_process *process, struct err *e)
{
	if (process->channel < 0)
		return err_set(e, ERR_STATE, "the process has been started before");
	int r = runtime_channel_send(process->channel, RUNTIME_MESSAGE_START, 0, NULL, 0, e);
	if (r < 0) {
		err_set(e, ERR_STATE, "the process ended before it was started");
		return -ESRCH;
	}
	return hear_of_exec(process, e);
}

int runtime_start_socket(int dir_fd, const char *path, struct err *e)
{
	return socket_bind_at(SOCK_DGRAM, dir_fd, path, e);
}

int runtime_detach(struct runtime_process *process, struct err *e)
{
	own_fd int channel = take_fd(&process->channel);

	if (runtime_channel_send(channel, RUNTIME_MESSAGE_DETACH, 0, NULL, 0, e) == 0)
		return 0;
	err_set(e, ERR_STATE, "the process ended before it was started");
	return -ESRCH;
}

int runtime_start_at(int dir_fd, const char *path, struct err *e)
{
	struct runtime_process process = RUNTIME_PROCESS_INIT;
	own_free char *socket = mem_format("/proc/self/fd/%d/%s", dir_fd, path);
	int ends[2];

	own_fd int fd = socket_connect(SOCK_DGRAM, socket, e);
	if (fd < 0) {
		err_set(e, ERR_STATE, "no process waits to be started");
		return -ESRCH;
	}
	int r = runtime_channel_open(ends, e);
	if (r < 0)
		return r;
	process.channel = ends[0];
	r = runtime_channel_send(fd, RUNTIME_MESSAGE_START, 0, &ends[1], 1, e);
	close(ends[1]);
	if (r == 0)
		r = hear_of_exec(&process, e);
	runtime_process_close(&process);
	return r;
}

/* ---- exec ---- */

_Noreturn static void exec_child(struct runtime_enter *enter, int channel, int other_end)
{
	struct err error;

	close(other_end);
	enter->launch.channel = channel;
	runtime_enter_in_child(enter, &error);
	runtime_channel_send_error(enter->launch.channel, &error);
	_exit(125);
}

/* Born in the container's cgroup where that can be (v2), and where no CPUs are asked for until it
 * is there. */
static pid_t clone_entering(struct runtime_enter *enter, int *pidfd)
{
	const struct oci_cpu_affinity *affinity = enter->process.exec_cpu_affinity;
	bool early = enter->entry.folder >= 0 && !(affinity && !str_empty(affinity->initial));

	pid_t pid = early ? runtime_clone(0, enter->entry.folder, pidfd) : -ENOTSUP;
	enter->entered = pid >= 0;
	return enter->entered ? pid : runtime_clone(0, -1, pidfd);
}

/* Is there nothing to be done for it once it is ready? Then it need not wait. */
static bool may_start_at_once(const struct runtime_enter *enter)
{
	return !enter->process.scheduler && !enter->launch.container->intel_rdt.group &&
	       !runtime_seccomp_notifies(&enter->launch.rights.filter);
}

static int exec_spawn(struct runtime_enter *enter, struct runtime_process *process, struct err *e)
{
	bool at_once = may_start_at_once(enter);
	struct err told_later;
	int ends[2];

	int r = runtime_channel_open(ends, e);
	if (r < 0)
		return r;
	process->channel = ends[0];
	process->command = mem_text(enter->launch.process->args.items[0]);
	pid_t pid = clone_entering(enter, &process->pidfd);
	if (pid == 0)
		exec_child(enter, ends[1], ends[0]);
	close(ends[1]);
	if (pid < 0)
		return err_number(e, -pid, "clone a process");
	process->pid = pid;
	r = release(&enter->launch, process, e);
	if (r == 0 && at_once)
		runtime_channel_send(process->channel, RUNTIME_MESSAGE_START, 0, NULL, 0,
				     &told_later);
	if (r == 0)
		r = runtime_conversation_hold_in_parent(process, &enter->launch, enter->launch.fork,
							e);
	if (r == 0)
		r = runtime_scheduler_apply_in_parent(process->pid, enter->process.scheduler, e);
	if (r == 0)
		r = runtime_intel_rdt_join_in_parent(&enter->launch.container->intel_rdt,
						     process->pid, e);
	if (r < 0)
		return r;
	return at_once ? hear_of_exec(process, e) : runtime_start(process, e);
}

int runtime_exec(struct runtime_process *ret, const struct runtime_container *container,
		 const struct oci_spec *spec, const struct oci_process *process,
		 const struct runtime_options *options, struct err *e)
{
	own_clear(runtime_enter_clear) struct runtime_enter enter;
	struct runtime_process started = RUNTIME_PROCESS_INIT;

	int r = runtime_enter_prepare_in_parent(&enter, container, spec, process, options, e);
	if (r == 0)
		r = exec_spawn(&enter, &started, e);
	if (r < 0) {
		runtime_process_kill(&started);
		return r;
	}
	*ret = started;
	return 0;
}
