/* runtime_fake.c - in tests of the monitor, stands in for the runtime: the "container" is a plain
 * child without namespaces or cgroups. So these tests need no rights, and show what is the
 * monitor's own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_scope.h"
#include "runtime/checkpoint.h"
#include "runtime/figures.h"
#include "runtime/hooks.h"
#include "runtime/runtime.h"
#include "runtime/stats_brief.h"
#include "runtime/update.h"

#define CONTAINER(member) offsetof(struct runtime_container, member)

const struct shape runtime_container_shape = {
	sizeof(struct runtime_container),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, CONTAINER(id) },
		{ "pid", SHAPE_INT, CONTAINER(pid) },
		{ 0 },
	},
};

void runtime_container_clear(struct runtime_container *container)
{
	shape_clear(&runtime_container_shape, container);
}

void runtime_process_close(struct runtime_process *process)
{
	int *fds[] = { &process->pidfd, &process->terminal, &process->channel };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (*fds[i] >= 0)
			close(take_fd(fds[i]));
}

static void take_streams(const struct runtime_options *options, int slave)
{
	if (slave >= 0) {
		ioctl(slave, TIOCSCTTY, 0);
		for (int i = 0; i < 3; i++)
			dup2(slave, i);
		return;
	}
	for (int i = 0; i < 3; i++) {
		own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(options->stdio[i] < 0 ? null : options->stdio[i], i);
	}
}

static _Noreturn void child(const struct oci_process *process,
			    const struct runtime_options *options, int slave, int channel)
{
	sigset_t none;
	char go;

	prctl(PR_SET_PDEATHSIG, options->die_with_parent ? SIGKILL : 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	take_streams(options, slave);
	if (read(channel, &go, 1) != 1)
		_exit(1);
	execvpe(process->args.items[0], process->args.items, process->env.items);
	int number = errno;
	_exit(write(channel, &number, sizeof(number)) == sizeof(number) ? 127 : 126);
}

static int open_terminal(struct runtime_process *ret, const struct oci_process *process)
{
	if (!process->terminal)
		return -1;
	ret->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	unlockpt(ret->terminal);
	if (process->console_size) {
		struct winsize size = { .ws_row = (unsigned short)process->console_size->height,
					.ws_col = (unsigned short)process->console_size->width };
		ioctl(ret->terminal, TIOCSWINSZ, &size);
	}
	return ioctl(ret->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int runtime_create(struct runtime_container *ret_container, struct runtime_process *ret,
		   const struct oci_spec *spec, const struct runtime_options *options,
		   struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	own_fd int slave = open_terminal(ret, spec->process);
	ret->pid = fork();
	if (ret->pid == 0)
		child(spec->process, options, slave, pair[1]);
	close(pair[1]);
	ret->channel = pair[0];
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	*ret_container = (struct runtime_container){ .id = mem_text(options->id), .pid = ret->pid };
	return 0;
}

int runtime_start(struct runtime_process *process, struct err *e)
{
	int number;

	if (write(process->channel, "", 1) != 1)
		return err_sys(e, "start");
	if (read(process->channel, &number, sizeof(number)) == sizeof(number))
		return err_set(e, ERR_COMMAND_NOT_FOUND, "exec: not found");
	return 0;
}

int runtime_restore(struct runtime_container *to, struct runtime_process *ret,
		    const struct oci_spec *spec, const struct runtime_options *options,
		    const struct runtime_criu_options *criu, const char *scratch,
		    const struct runtime_store *store, struct err *e)
{
	(void)criu;
	(void)scratch;
	int r = store->function(store->context, e);
	if (r == 0)
		r = runtime_create(to, ret, spec, options, e);
	return r < 0 ? r : runtime_start(ret, e);
}

int runtime_exec(struct runtime_process *ret, const struct runtime_container *container,
		 const struct oci_spec *spec, const struct oci_process *process,
		 const struct runtime_options *options, struct err *e)
{
	struct oci_spec own = { .process = (struct oci_process *)process };
	own_clear(runtime_container_clear) struct runtime_container unused = { 0 };

	(void)container;
	(void)spec;
	int r = runtime_create(&unused, ret, &own, options, e);
	return r < 0 ? r : runtime_start(ret, e);
}

int runtime_kill_all(const struct runtime_container *container, struct err *e)
{
	(void)e;
	if (container->pid)
		kill((pid_t)container->pid, SIGKILL);
	return 0;
}

bool runtime_container_is_of_this_boot(const struct runtime_container *container)
{
	(void)container;
	return true;
}

int runtime_cgroup_scope_enter(const struct runtime_cgroup_scope *scope, struct err *e)
{
	(void)scope;
	(void)e;
	return 0;
}

/* There are no cgroups: the container is the whole host. */
int runtime_container_list(pid_t **ret, size_t *ret_count,
			   const struct runtime_container *container, struct err *e)
{
	own_dir DIR *dir = opendir("/proc");
	size_t count = 0;
	pid_t *pids = NULL;

	(void)container;
	if (!dir)
		return err_sys(e, "open /proc");
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		pids = mem_resize(pids, count + 1, sizeof(*pids));
		pids[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	*ret = pids;
	*ret_count = count;
	return 0;
}

/* A hook's path is a file that tells of it, "fail" makes it fail. */
static int fake_hooks(const struct oci_hook_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].path, "fail") == 0)
			return -EIO;
		own_fd int fd =
			open(list->items[i].path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, word, strlen(word)) < 0)
			abort();
	}
	return 0;
}

int runtime_hooks_poststart(const struct oci_spec *spec, const struct runtime_container *container,
			    const char *bundle, struct err *e)
{
	(void)container;
	(void)bundle;
	if (spec->hooks && fake_hooks(&spec->hooks->poststart, "poststart ") < 0)
		return err_set(e, ERR_SYSTEM, "the hook failed");
	return 0;
}

int runtime_hooks_run_late(const struct oci_spec *spec, enum runtime_hooks_kind kind,
			   const char *id, const char *bundle, pid_t pid,
			   const struct runtime_hooks_call *call, bool *failed, struct err *e)
{
	(void)id;
	(void)bundle;
	(void)pid;
	(void)call;
	if (kind == RUNTIME_HOOKS_PRE_START && spec->hooks &&
	    fake_hooks(&spec->hooks->prestart, "pre-start ") < 0)
		return err_set(e, ERR_SYSTEM, "the hook failed");
	if (kind == RUNTIME_HOOKS_POSTSTOP && spec->hooks)
		*failed = fake_hooks(&spec->hooks->poststop, "poststop ") < 0;
	return 0;
}

int runtime_hooks_open_in_parent(struct runtime_hooks *ret, const struct oci_spec *spec,
				 const char *id, const char *bundle, struct err *e)
{
	(void)spec;
	(void)id;
	(void)bundle;
	(void)e;
	*ret = (struct runtime_hooks)RUNTIME_HOOKS_INIT;
	return 0;
}

bool runtime_hooks_any(const struct runtime_hooks *hooks, enum runtime_hooks_kind kind)
{
	(void)hooks;
	(void)kind;
	return false;
}

void runtime_hooks_close(struct runtime_hooks *hooks)
{
	(void)hooks;
}

int runtime_delete(const struct runtime_container *container, struct err *e)
{
	(void)container;
	(void)e;
	return 0;
}

int runtime_delete_unrecorded(const char *id, const struct oci_spec *spec, struct err *e)
{
	(void)id;
	(void)spec;
	(void)e;
	return 0;
}

int runtime_cgroup_freeze(const struct runtime_cgroup *cgroup, bool frozen, struct err *e)
{
	(void)cgroup;
	(void)frozen;
	(void)e;
	return 0;
}

uint64_t runtime_cgroup_oom_kills(const struct runtime_cgroup *cgroup)
{
	(void)cgroup;
	return 0;
}

int runtime_update(struct runtime_container *container, struct oci_resources *resources,
		   struct err *e)
{
	(void)container;
	(void)resources;
	(void)e;
	return 0;
}

/* ---- figures.h: no container of this test asks for them ---- */

void runtime_figures_memory(struct runtime_memory_figures *ret, const struct runtime_cgroup *cgroup)
{
	(void)cgroup;
	*ret = (struct runtime_memory_figures){ 0 };
}

void runtime_figures_cpus(struct runtime_number_list *ret, const struct runtime_container *c)
{
	(void)c;
	*ret = (struct runtime_number_list){ 0 };
}

void runtime_figures_time(struct runtime_time_figures *ret, const struct runtime_cgroup *cgroup)
{
	(void)cgroup;
	*ret = (struct runtime_time_figures){ 0 };
}

void runtime_figures_tasks(struct runtime_task_figures *ret,
			   const struct runtime_container *container)
{
	(void)container;
	*ret = (struct runtime_task_figures){ 0 };
}

void runtime_figures_add_load(struct runtime_load *load, double n, double seconds)
{
	(void)seconds;
	load->averages[0] = n;
}

int runtime_stats_brief_read(struct runtime_stats_brief *ret, int *ret_cpu_fd,
			     const struct runtime_container *container, struct err *e)
{
	(void)container;
	*ret = (struct runtime_stats_brief){ 0 };
	*ret_cpu_fd = -1;
	return err_set(e, ERR_STATE, "container not running");
}
