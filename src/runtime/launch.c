#include "runtime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/sealed.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/channel.h"
#include "runtime/clone.h"
#include "runtime/command.h"
#include "runtime/core_sched.h"
#include "runtime/cpu_affinity.h"
#include "runtime/env_file.h"
#include "runtime/give.h"
#include "runtime/guest.h"
#include "runtime/inherited.h"
#include "runtime/io_priority.h"
#include "runtime/landlock.h"
#include "runtime/lsm.h"
#include "runtime/memory_policy.h"
#include "runtime/personality.h"
#include "runtime/runtime.h"
#include "runtime/scheduler.h"
#include "runtime/user.h"

enum { STREAMS = 3, SUCCESSOR_STACK_BYTES = 256 << 10 };

/* ---- in the parent ---- */

static int check_process(const struct oci_process *process, struct err *e)
{
	if (process->args.count == 0)
		return err_set(e, ERR_INVALID, "process.args is empty");
	if (str_empty(process->cwd) || *process->cwd != '/')
		return err_set(e, ERR_INVALID, "process.cwd '%s' is not an absolute path",
			       process->cwd ? process->cwd : "");
	if (process->user.umask && *process->user.umask > 0777)
		return err_set(e, ERR_INVALID, "process.user.umask %#llo is more than 0777",
			       (unsigned long long)*process->user.umask);
	if (process->console_size &&
	    (process->console_size->height > USHRT_MAX || process->console_size->width > USHRT_MAX))
		return err_set(e, ERR_INVALID, "process.consoleSize is more than %d", USHRT_MAX);
	for (size_t i = 0; i < process->env.count; i++)
		if (strcspn(process->env.items[i], "=") == 0 || !strchr(process->env.items[i], '='))
			return err_set(e, ERR_INVALID, "process.env: '%s' is not NAME=VALUE",
				       process->env.items[i]);
	return 0;
}

/* What the kernel remembers about running it. */
static int check_running(const struct oci_spec *spec, const struct oci_process *process,
			 struct err *e)
{
	int r = runtime_scheduler_check(process->scheduler, e);

	if (r == 0)
		r = runtime_io_priority_check(process->io_priority, e);
	if (r == 0)
		r = runtime_cpu_affinity_check(process->exec_cpu_affinity, e);
	if (r == 0)
		r = runtime_memory_policy_check(spec->linux_.memory_policy, e);
	if (r == 0)
		r = runtime_personality_check(spec->linux_.personality, e);
	if (r == 0)
		r = runtime_core_sched_check(spec, e);
	return r;
}

/* crun's, which are not done here: who wrote them would get less of a wall, or another program. */
static int check_annotations(const struct oci_spec *spec, struct err *e)
{
	static const struct {
		const char *name, *why, *instead;
	} refused[] = {
		{ "run.oci.handler", "there are no handlers",
		  "krun and those of wasm are crun's; without it the host's kernel is shared" },
		{ "run.oci.seccomp.plugins", "no foreign code is loaded",
		  "run.oci.seccomp.receiver names the socket of an agent" },
		{ "run.oci.seccomp_bpf_data", "no ready-made filter is loaded",
		  "linux.seccomp is compiled, in a tenth of a millisecond" },
		{ "run.oci.systemd.force_cgroup_v1", "no hierarchy of v1 is made on a v2 host",
		  "mount -t cgroup -o none,name=systemd on the host, and a bind mount of it" },
	};

	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		if (str_empty(shape_map_get(&spec->annotations, refused[i].name)))
			continue;
		err_set(e, ERR_UNSUPPORTED, "annotation %s: %s", refused[i].name, refused[i].why);
		return err_hint(e, "%s", refused[i].instead);
	}
	return 0;
}

int runtime_launch_prepare_in_parent(struct runtime_launch *ret, const struct oci_spec *spec,
				     const struct oci_process *process,
				     const struct runtime_options *options, struct err *e)
{
	const char *init = shape_map_get(&spec->annotations, "org.holm.init");

	*ret = (struct runtime_launch)RUNTIME_LAUNCH_INIT;
	ret->spec = spec;
	ret->process = process;
	ret->options = options;
	ret->start_fd = options->start_fd;
	ret->wait = runtime_rights_has_oom_score(process);
	strv_add_all(&ret->env, &process->env);
	if (options->keep_fds_count > RUNTIME_INHERITED_MAX)
		return err_set(e, ERR_INVALID, "%zu descriptors to keep are too many",
			       options->keep_fds_count);
	int r = check_process(process, e);
	if (r == 0)
		r = check_running(spec, process, e);
	if (r == 0)
		r = check_annotations(spec, e);
	if (r == 0)
		r = runtime_env_file_add(&ret->env, &spec->annotations, e);
	if (r < 0)
		return r;
	if (str_equal(init, "true") && process == spec->process) {
		if (options->init_fd < 0)
			return err_set(e, ERR_INVALID, "org.holm.init without the program");
		if (runtime_scheduler_forbids_fork(process->scheduler))
			return err_set(e, ERR_INVALID,
				       "process.scheduler: with an init, the process would not "
				       "keep it");
		ret->init_fd = sealed_open(options->init_fd, e);
		if (ret->init_fd < 0)
			return err_add(e, "holm-init");
	}
	return runtime_rights_prepare_in_parent(&ret->rights, spec, process, e);
}

void runtime_launch_clear(struct runtime_launch *launch)
{
	runtime_rights_clear(&launch->rights);
	runtime_terminal_close(&launch->terminal);
	runtime_hooks_close(&launch->hooks);
	strv_clear(&launch->env);
	int *fds[] = { &launch->init_fd, &launch->channel, &launch->proc_fd, &launch->ruleset };
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* ---- in the child: streams ---- */

/* Programs open /dev/stdout again, which takes a right to the pipe itself. */
static void give_stream(int fd, const struct runtime_user *user)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		if (fchown(fd, user->uid, (gid_t)-1) < 0)
			return; /* its maker is no id in here: then it stays as it is */
}

static int open_null(struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open /");
	return path_open(root, "/dev/null", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, e);
}

/* The sources may be 0 to 2 themselves and in any order: copies first. */
static int take_streams(const struct runtime_launch *l, const struct runtime_user *user,
			struct err *e)
{
	int copies[STREAMS];

	for (int i = 0; i < STREAMS; i++) {
		int from = l->options->stdio[i];
		own_fd int null = from < 0 ? open_null(e) : -1;
		if (from < 0 && null < 0)
			return null;
		copies[i] = fcntl(from < 0 ? null : from, F_DUPFD_CLOEXEC, STREAMS);
		if (copies[i] < 0)
			return err_sys(e, "copy descriptor %d", from);
	}
	for (int i = 0; i < STREAMS; i++) {
		if (dup2(copies[i], i) < 0)
			return err_sys(e, "make descriptor %d", i);
		close(copies[i]);
		give_stream(i, user);
	}
	return 0;
}

/* Closes whatever is not said to stay. After this: 0 to 2, the kept ones from 3 on, and behind
 * them (close-on-exec) the channel and holm-init. */
static int sort_descriptors(struct runtime_launch *l, struct err *e)
{
	int count = (int)l->options->keep_fds_count;
	int base = STREAMS + count;
	int *own[] = { &l->channel,        &l->init_fd,         &l->ruleset,      &l->start_fd,
		       &l->terminal.slave, &l->terminal.master, &l->hooks.output, &l->hooks.error };
	int free_from = base + (int)COUNT_OF(own);
	int kept[RUNTIME_INHERITED_MAX];

	/* first all out of the way of those numbers */
	for (int i = 0; i < count; i++) {
		kept[i] = l->options->keep_fds[i];
		if (kept[i] < 0)
			continue;
		kept[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, free_from);
		if (kept[i] < 0)
			return err_sys(e, "keep descriptor %d", l->options->keep_fds[i]);
	}
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (*own[i] >= 0 && (*own[i] = fcntl(*own[i], F_DUPFD_CLOEXEC, free_from)) < 0)
			return err_sys(e, "move a descriptor");

	for (int i = 0; i < count; i++) {
		if (kept[i] < 0)
			close(STREAMS + i);
		else if (dup2(kept[i], STREAMS + i) < 0)
			return err_sys(e, "keep descriptor %d", STREAMS + i);
	}
	int at = base;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (*own[i] >= 0 && (*own[i] = dup3(*own[i], at++, O_CLOEXEC)) < 0)
			return err_sys(e, "move a descriptor");
	if (syscall(SYS_close_range, at, ~0U, 0) < 0)
		return err_sys(e, "close the other descriptors");
	l->proc_fd = -1;
	return 0;
}

/* ---- in the child: the rest of what a process has ---- */

/* A session keyring of its own, keyctl(2); kernels without keys have nothing to protect. */
static int join_keyring(const struct runtime_launch *l, struct err *e)
{
	int r = runtime_lsm_set_selinux_keys_in_child(l->proc_fd, l->rights.selinux, e);

	if (r < 0)
		return r;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
		return 0;
	err_sys(e, "make a session keyring");
	return errno == EDQUOT ? err_hint(e, "see kernel.keys.maxkeys") : -e->number;
}

/* No magic link leads out (CVE-2024-21626), and the kernel itself is asked where we are. */
static int change_folder(const char *cwd, struct err *e)
{
	char where[4096 + 16];

	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open /");
	own_fd int fd = path_try_open(root, cwd, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_number(e, -fd, "working directory %s", cwd);
	if (fchdir(fd) < 0)
		return err_sys(e, "working directory %s", cwd);
	if (syscall(SYS_getcwd, where, sizeof(where)) < 0)
		return err_sys(e, "working directory %s", cwd);
	if (*where != '/')
		return err_set(e, ERR_PERMISSION, "working directory %s is outside the container",
			       cwd);
	return 0;
}

/* Those that were asked for; what the user has in the image's /etc/group is left out. */
static int check_groups(const struct runtime_launch *l, struct err *e)
{
	const char *groups = shape_map_get(&l->spec->annotations, "org.holm.groups");

	if (!l->rights.groups_denied || l->rights.keep_groups ||
	    (str_empty(groups) && l->process->user.additional_gids.count == 0))
		return 0;
	err_set(e, ERR_UNSUPPORTED,
		"supplementary groups: the container's user namespace has "
		"one group alone");
	return err_hint(e, "give the caller a range in /etc/subgid, and install newgidmap");
}

/* What needs the rights that the process is about to lose, and descriptors. */
static int prepare(struct runtime_launch *l, struct runtime_user *user, struct err *e)
{
	const char *groups = shape_map_get(&l->spec->annotations, "org.holm.groups");
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open /");

	int r = runtime_user_resolve(user, root, &l->process->user, groups, e);
	if (r == 0 && !l->container)
		r = runtime_give_mounts_in_child(root, l->spec, user, e);
	if (r == 0 && l->terminal.slave >= 0 && fchown(l->terminal.slave, user->uid, (gid_t)-1) < 0)
		r = err_sys(e, "give the terminal to user %u", user->uid);
	if (r == 0 && l->terminal.slave < 0)
		r = take_streams(l, user, e);
	if (r == 0)
		r = l->options->no_new_keyring ? 0 : join_keyring(l, e);
	umask(l->process->user.umask ? (mode_t)*l->process->user.umask : 0022);
	if (r == 0)
		r = runtime_io_priority_apply_in_child(l->process->io_priority, e);
	if (r == 0)
		r = runtime_memory_policy_apply_in_child(l->spec->linux_.memory_policy, e);
	if (r == 0)
		r = runtime_personality_apply_in_child(l->spec->linux_.personality, e);
	if (r == 0)
		r = runtime_landlock_open_in_child(&l->ruleset, &l->rights.landlock, root, e);
	if (r == 0)
		r = runtime_rights_label_in_child(&l->rights, l->proc_fd, e);
	if (r == 0 && strv_find_key(&l->env, "HOME") < 0)
		strv_addf(&l->env, "HOME=%s", user->home ? user->home : "/");
	return r;
}

static int become(struct runtime_launch *l, struct err *e)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	struct err first;

	int r = check_groups(l, e);
	if (r == 0)
		r = prepare(l, &user, e);
	if (r < 0)
		return r;
	/* as root: a folder that only root may enter is fine to start in, as with runc; or as the
	 * user: on a network filesystem root may be the one who may not */
	int as_root = change_folder(l->process->cwd, &first);
	if (as_root < 0 && as_root != -EACCES) {
		*e = first;
		return as_root;
	}
	r = sort_descriptors(l, e);
	if (r == 0)
		r = runtime_rights_limit_in_child(&l->rights, e);
	if (r == 0)
		r = runtime_rights_take_in_child(&l->rights, &user, l->ruleset, l->channel, e);
	return r == 0 && as_root < 0 ? change_folder(l->process->cwd, e) : r;
}

/* ---- in the child: exec ---- */

static int exec_init(struct runtime_launch *l, const char *path, char *const *env, struct err *e)
{
	const struct strv *args = &l->process->args;
	own_clear(strv_clear) struct strv argv = { 0 };

	strv_add(&argv, "holm-init");
	strv_addf(&argv, "%d", l->channel);
	strv_add(&argv, path);
	strv_addf(&argv, "-%s%s", l->options->die_with_parent ? "d" : "",
		  l->options->listen_fds ? "l" : "");
	strv_add_all(&argv, args);
	if (fcntl(l->channel, F_SETFD, 0) < 0)
		return err_sys(e, "hand on the channel");
	syscall(SYS_execveat, l->init_fd, "", argv.items, env, AT_EMPTY_PATH);
	return err_sys(e, "exec holm-init");
}

static int exec_command(struct runtime_launch *l, const char *path, struct err *e)
{
	const struct oci_process *process = l->process;
	char *const *env = l->env.items;

	if (l->init_fd >= 0)
		return exec_init(l, path, env, e);
	execve(path, process->args.items, env);
	return runtime_command_exec_error(e, errno, process->args.items[0]);
}

static int wait_for(int channel, enum runtime_message wanted, struct err *e)
{
	int message = runtime_channel_receive(channel, NULL, NULL, e);

	if (message < 0)
		return message;
	if (message != (int)wanted) /* the parent is gone, or does not want us any more */
		_exit(1);
	return 0;
}

int runtime_launch_wait_in_child(const struct runtime_launch *l, struct err *e)
{
	return l->wait ? wait_for(l->channel, RUNTIME_MESSAGE_PREPARED, e) : 0;
}

int runtime_launch_ask_in_child(const struct runtime_launch *l, enum runtime_message what,
				const int *fds, size_t fds_count, struct err *e)
{
	int r = runtime_channel_send(l->channel, what, 0, fds, fds_count, e);

	return r < 0 ? r : wait_for(l->channel, RUNTIME_MESSAGE_PREPARED, e);
}

/* From the parent or, once it has detached us, from whoever comes to the start socket. That one
 * brings the channel on which it wants to hear how exec went. */
static int wait_for_start(struct runtime_launch *l, struct err *e)
{
	int fds[RUNTIME_CHANNEL_FDS];

	int message = runtime_channel_receive(l->channel, NULL, NULL, e);
	if (message == RUNTIME_MESSAGE_DETACH && l->start_fd >= 0) {
		message = runtime_channel_receive(l->start_fd, NULL, fds, e);
		if (message == RUNTIME_MESSAGE_START && fds[0] >= 0)
			dup3(fds[0], l->channel, O_CLOEXEC);
	}
	if (message < 0)
		return message;
	if (message != RUNTIME_MESSAGE_START) /* nobody wants us any more */
		_exit(1);
	return 0;
}

/* sd_listen_fds(3). The pid is what getpid(2) says inside, in whatever PID namespace that is;
 * holm-init writes its child's into the ten digits. */
static void tell_listen_fds(struct runtime_launch *l)
{
	const char *names = l->options->listen_names;
	struct strv more = { 0 };

	if (!l->options->listen_fds)
		return;
	strv_addf(&more, "LISTEN_FDS=%zu", l->options->listen_fds);
	strv_addf(&more, "LISTEN_PID=%0*d", l->init_fd >= 0 ? 10 : 1, (int)getpid());
	if (names)
		strv_addf(&more, "LISTEN_FDNAMES=%s", names);
	for (size_t i = 0; i < more.count; i++)
		strv_set(&l->env, more.items[i]);
	strv_clear(&more);
}

/* Runs in the process that is to exec. */
static int finish(struct runtime_launch *l, struct err *e)
{
	bool terminal = l->terminal.slave >= 0;
	own_free char *path = NULL;

	/* after the change of ids, which takes both back (prctl(2)) */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "forbid tracing");
	if (l->options->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, "die with the parent");
	if (setsid() < 0 && errno != EPERM)
		return err_sys(e, "make a session");
	tell_listen_fds(l);
	bool guest = runtime_guest_is_asked_for(l->spec) && !l->container;
	if (terminal && runtime_terminal_take_in_child(&l->terminal, !guest, e) < 0)
		return -e->number;
	int r = guest ? runtime_guest_find_init_in_container(&path, l->spec, &l->env, e)
		      : runtime_command_find_in_container(&path, l->process->args.items[0], &l->env,
							  e);
	if (r == 0)
		r = runtime_channel_send(l->channel, RUNTIME_MESSAGE_READY, 0, &l->terminal.master,
					 terminal, e);
	if (r < 0)
		return r;
	runtime_terminal_close(&l->terminal);
	r = wait_for_start(l, e);
	if (r == 0)
		r = runtime_hooks_run(&l->hooks, RUNTIME_HOOKS_START_CONTAINER, getpid(), NULL, e);
	return r < 0 ? r : exec_command(l, path, e);
}

struct successor {
	struct runtime_launch *launch;
	pid_t pid; /* outside */
};

static int succeed(void *context)
{
	const struct successor *s = context;
	struct err e;

	if (runtime_channel_send(s->launch->channel, RUNTIME_MESSAGE_PID, s->pid, NULL, 0, &e) == 0)
		finish(s->launch, &e);
	runtime_channel_send_error(s->launch->channel, &e);
	_exit(125);
}

/* The one that goes on takes over the memory of this one, which does nothing any more but to end:
 * nothing is copied. clone(2), not clone3(2): the default filter, which is loaded by now, answers
 * that with ENOSYS. */
static int fork_into_namespace(struct runtime_launch *l, char *stack, struct err *e)
{
	struct successor successor = { .launch = l };

	if (clone(succeed, stack + SUCCESSOR_STACK_BYTES,
		  CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, &successor,
		  &successor.pid) < 0)
		return err_sys(e, "fork into the PID namespace");
	_exit(0);
}

int runtime_launch_in_child(struct runtime_launch *l, struct err *e)
{
	char *stack = NULL;

	process_reset_signals();
	if (l->fork) /* before a filter that has not heard of mmap(2) */
		stack = mmap(NULL, SUCCESSOR_STACK_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_sys(e, "make a stack");
	int r = become(l, e);
	if (r < 0)
		return r;
	return l->fork ? fork_into_namespace(l, stack, e) : finish(l, e);
}
