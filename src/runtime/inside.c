#include "runtime/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "runtime/channel.h"
#include "runtime/clone.h"
#include "runtime/namespace.h"
#include "runtime/runtime.h"

static int join(int pidfd, uint64_t namespaces, struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "forbid tracing");
	if (setns(pidfd, (int)namespaces) < 0)
		return err_sys(e, "enter the container's namespaces");
	if ((namespaces & CLONE_NEWUSER) && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(e, "become root of the user namespace");
	return 0;
}

static int work(int pidfd, uint64_t namespaces, runtime_inside_function *function, void *context,
		struct err *e)
{
	int r = join(pidfd, namespaces, e);
	if (r < 0)
		return r;
	umask(0);
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? err_sys(e, "open /") : function(context, root, e);
}

static int hear(int channel, pid_t pid, struct err *e)
{
	int message = runtime_channel_receive(channel, NULL, NULL, e);
	int status = process_wait(pid);

	if (message == RUNTIME_MESSAGE_NONE && status != 0)
		return err_set(e, ERR_SYSTEM, "the process that was sent into the container ended");
	return message == RUNTIME_MESSAGE_FAILED ? -e->number : message < 0 ? message : 0;
}

int runtime_inside_run(const struct runtime_container *container, runtime_inside_function *function,
		       void *context, struct err *e)
{
	uint64_t namespaces =
		runtime_namespace_flags(&container->namespaces) & (CLONE_NEWUSER | CLONE_NEWNS);
	int ends[2];

	own_fd int pidfd = runtime_container_open(container);
	if (pidfd < 0)
		return err_set(e, ERR_STATE, "container not running");
	int r = runtime_channel_open(ends, e);
	if (r < 0)
		return r;
	own_fd int ours = ends[0];
	pid_t pid = runtime_clone(0, -1, NULL);
	if (pid == 0) {
		close(ours);
		r = work(pidfd, namespaces, function, context, e);
		if (r < 0)
			runtime_channel_send_error(ends[1], e);
		_exit(r < 0);
	}
	close(ends[1]);
	return pid < 0 ? err_number(e, -pid, "clone a process") : hear(ours, pid, e);
}
