#include "runtime/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* CLONE_CLEAR_SIGHAND, which clone(2) does not have. */
static void clear_handlers(void)
{
	struct sigaction action;

	for (int signal = 1; signal < NSIG; signal++) {
		if (sigaction(signal, NULL, &action) < 0 || action.sa_handler == SIG_IGN ||
		    action.sa_handler == SIG_DFL)
			continue;
		action = (struct sigaction){ .sa_handler = SIG_DFL };
		sigaction(signal, &action, NULL);
	}
}

/* A filter around this process wants to read the flags, and takes clone3(2) away. One that does
 * not let this pass either has taken it for good. */
static pid_t clone_older(uint64_t flags, int *pidfd)
{
	flags |= pidfd ? CLONE_PIDFD : 0;
	flags |= flags & CLONE_PARENT ? 0 : SIGCHLD;
	long pid = syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
	if (pid == 0)
		clear_handlers();
	if (pid < 0)
		return errno == EPERM ? -ENOSYS : -errno;
	return (pid_t)pid;
}

pid_t runtime_clone(uint64_t flags, int cgroup_fd, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_CLEAR_SIGHAND,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};

	if (pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t)pidfd;
	}
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)cgroup_fd;
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid >= 0 || errno != ENOSYS)
		return pid < 0 ? -errno : (pid_t)pid;
	return cgroup_fd >= 0 ? -EOPNOTSUPP : clone_older(flags, pidfd);
}
