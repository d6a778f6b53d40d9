#include "runtime/enter.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/core_sched.h"
#include "runtime/cpu_affinity.h"
#include "runtime/namespace.h"
#include "runtime/procfs.h"
#include "runtime/runtime.h"
#include "runtime/user_namespace.h"

/* ---- in the parent ---- */

/* What exec does not say is the container's, as with runc; rights.h does the same for its part. */
static void fill_gaps(struct oci_process *process, const struct oci_process *first)
{
	static char root[] = "/";

	if (str_empty(process->cwd))
		process->cwd = first && !str_empty(first->cwd) ? first->cwd : root;
	if (!first)
		return;
	if (!process->scheduler)
		process->scheduler = first->scheduler;
	if (!process->io_priority)
		process->io_priority = first->io_priority;
	if (!process->exec_cpu_affinity)
		process->exec_cpu_affinity = first->exec_cpu_affinity;
	if (!process->oom_score_adj)
		process->oom_score_adj = first->oom_score_adj;
	if (!process->user.umask)
		process->user.umask = first->user.umask;
}

static int open_cgroup(struct runtime_enter *enter, const struct runtime_container *container,
		       const struct runtime_options *options, struct err *e)
{
	if (options->cgroups && options->cgroups->count > 0)
		return runtime_cgroup_entry_open(&enter->entry, &container->cgroup,
						 options->cgroups, e);
	return runtime_cgroup_entry_open_with(&enter->entry, &container->cgroup,
					      (pid_t)container->pid, e);
}

int runtime_enter_prepare_in_parent(struct runtime_enter *ret,
				    const struct runtime_container *container,
				    const struct oci_spec *spec, const struct oci_process *process,
				    const struct runtime_options *options, struct err *e)
{
	*ret = (struct runtime_enter){ .pidfd = -1, .entry = { .folder = -1 } };
	ret->launch = (struct runtime_launch)RUNTIME_LAUNCH_INIT;
	ret->process = *process;
	fill_gaps(&ret->process, spec->process);
	ret->namespaces = runtime_namespace_flags(&container->namespaces);

	ret->pid = (pid_t)container->pid;
	ret->pidfd = runtime_container_open(container);
	if (ret->pidfd < 0)
		return err_set(e, ERR_STATE, "the container does not run");
	/* what enters a frozen cgroup stops there, and is waited for until it is thawed */
	if (!options->into_frozen && runtime_cgroup_is_frozen(&container->cgroup))
		return err_set(e, ERR_STATE, "the container is paused");
	int r = runtime_launch_prepare_in_parent(&ret->launch, spec, &ret->process, options, e);
	own_free char *pid = mem_format("%lld", (long long)container->pid);
	ret->launch.rights.groups_denied = runtime_user_namespace_denies_groups(pid);
	if (r == 0)
		r = open_cgroup(ret, container, options, e);
	ret->launch.container = container;
	ret->launch.fork = ret->namespaces & CLONE_NEWPID;
	return r;
}

void runtime_enter_clear(struct runtime_enter *enter)
{
	runtime_launch_clear(&enter->launch);
	runtime_cgroup_entry_close(&enter->entry);
	if (enter->pidfd >= 0)
		close(enter->pidfd);
	enter->pidfd = -1;
}

/* ---- in the child ---- */

/* A procfs of this PID namespace, which is the host's until the fork; none can be made later. */
static int open_proc(struct runtime_launch *l, struct err *e)
{
	if (str_empty(l->rights.apparmor) && str_empty(l->rights.selinux))
		return 0;
	l->proc_fd = runtime_procfs_open(e);
	return l->proc_fd < 0 ? l->proc_fd : 0;
}

/* Which CPUs it may run on changes with it. */
static int enter_cgroup(struct runtime_enter *enter, struct err *e)
{
	const struct oci_cpu_affinity *affinity = enter->process.exec_cpu_affinity;

	int r = runtime_cpu_affinity_initial_in_child(affinity, e);
	if (r == 0)
		r = runtime_cgroup_enter_self_in_child(&enter->entry, enter->entered, e);
	if (r == 0 && !affinity)
		runtime_cpu_affinity_reset_in_child(enter->launch.spec);
	return r < 0 ? r : runtime_cpu_affinity_final_in_child(affinity, e);
}

static int join(struct runtime_enter *enter, struct err *e)
{
	if (setns(enter->pidfd, (int)enter->namespaces) < 0) {
		if (errno == ESRCH)
			return err_set(e, ERR_STATE, "the container does not run any more");
		return err_sys(e, "enter the container's namespaces");
	}
	if ((enter->namespaces & CLONE_NEWUSER) &&
	    (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(e, "become root of the user namespace");
	return 0;
}

static int open_terminal(struct runtime_launch *l, struct err *e)
{
	if (!l->process->terminal)
		return 0;
	int pts = runtime_terminal_find_devpts(e);
	if (pts < 0)
		return pts;
	int r = runtime_terminal_open_in_child(&l->terminal, pts, l->process->console_size, e);
	close(pts);
	return r;
}

int runtime_enter_in_child(struct runtime_enter *enter, struct err *e)
{
	/* not sooner: the /proc/PID of who cannot be traced is root's, and an ordinary user's OOM
	 * score is written there */
	int r = runtime_launch_wait_in_child(&enter->launch, e);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = err_sys(e, "forbid tracing");
	if (r == 0)
		r = open_proc(&enter->launch, e);
	if (r == 0)
		r = enter_cgroup(enter, e);
	if (r == 0) /* of that process: with a later one of its number join() would fail */
		r = runtime_core_sched_share_in_child(enter->launch.spec, enter->pid, e);
	if (r == 0)
		r = join(enter, e);
	if (r == 0)
		r = open_terminal(&enter->launch, e);
	return r < 0 ? r : runtime_launch_in_child(&enter->launch, e);
}
