/* conversation.c - from clone3(2) to exec(2):
 *
 *	parent				child
 *	prepare, cgroup
 *	clone3  ---------------------->
 *	ids, OOM score ------------->	PREPARED, where one of them is to be written
 *					set up, drop rights
 *			HOOKS	<------	only where there are any; PREPARED answers
 *			PID	<------	where a namespace is entered by a fork: its number
 *			READY	<------	with the terminal's master
 *	(runtime_start) START	------>		or DETACH, and START from another process
 *					exec; the channel closes by itself
 */
#include "runtime/conversation.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "runtime/channel.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/runtime.h"

/* A child that ended without a word. */
static int explain_death(struct runtime_process *process, struct err *e)
{
	int status = process->pid > 0 ? process_wait(process->pid) : 0;

	process->pid = 0;
	if (status >= 0 && WIFSIGNALED(status)) {
		err_set(e, ERR_SYSTEM,
			"the container's process was killed by signal %d while it "
			"was set up",
			WTERMSIG(status));
		return WTERMSIG(status) == SIGKILL
			       ? err_hint(e, "is the memory limit large enough to start at all?")
			       : -e->number;
	}
	return err_set(e, ERR_SYSTEM, "the container's process ended while it was set up");
}

/* Another process goes on in the place of the child, which ends: see launch.h. */
static int replace_process(struct runtime_process *process, pid_t pid, struct err *e)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return err_sys(e, "open process %d", (int)pid);
	process_wait(process->pid);
	close(process->pidfd);
	process->pid = pid;
	process->pidfd = pidfd;
	return 0;
}

static void take_ready(struct runtime_process *process, int which, const int *fds)
{
	size_t next = 0;

	if (which & 1)
		process->terminal = fds[next++];
	if (which & 2)
		process->seccomp_listener = fds[next++];
}

struct conversation {
	const struct runtime_launch *launch;
	bool hooks;  /* HOOKS has come */
	int forks;   /* how many PIDs are still to come */
	bool ready;  /* READY has come */
	bool failed; /* an error has come, which is in e */
};

/* In the runtime's namespaces, once the process that their state names is known. */
static int run_hooks(struct runtime_process *process, struct conversation *c, struct err *e)
{
	const struct runtime_hooks *hooks = &c->launch->hooks;

	if (!c->hooks || c->forks > c->launch->fork)
		return 0;
	c->hooks = false;
	int r = runtime_hooks_run(hooks, RUNTIME_HOOKS_PRESTART, process->pid, e);
	if (r == 0)
		r = runtime_hooks_run(hooks, RUNTIME_HOOKS_CREATE_RUNTIME, process->pid, e);
	if (r == 0 &&
	    runtime_channel_send(process->channel, RUNTIME_MESSAGE_PREPARED, 0, NULL, 0, e) < 0)
		return explain_death(process, e);
	return r;
}

/* One message. Returns 1 when there is nothing more to say. */
static int converse_once(struct runtime_process *process, struct conversation *c, struct err *e)
{
	int fds[RUNTIME_CHANNEL_FDS] = { -1, -1 };
	int value = 0;
	struct err later;

	int message =
		runtime_channel_receive(process->channel, &value, fds, c->failed ? &later : e);
	switch (message) {
	case RUNTIME_MESSAGE_NONE:
		return c->failed ? 1 : explain_death(process, e);
	case RUNTIME_MESSAGE_FAILED:
		c->failed = true;
		return 0;
	case RUNTIME_MESSAGE_READY:
		c->ready = true;
		take_ready(process, value, fds);
		return c->forks <= 0;
	case RUNTIME_MESSAGE_HOOKS:
		c->hooks = true;
		return run_hooks(process, c, e);
	case RUNTIME_MESSAGE_PID:
		c->forks--;
		message = replace_process(process, value, e);
		if (message == 0)
			message = run_hooks(process, c, e);
		return message < 0 ? message : c->ready && c->forks <= 0;
	default:
		return message < 0 ? message
				   : err_set(e, ERR_INTERNAL, "message %d out of place", message);
	}
}

int runtime_conversation_hold_in_parent(struct runtime_process *process,
					const struct runtime_launch *launch, int forks,
					struct err *e)
{
	struct conversation c = { .launch = launch, .forks = forks };
	int r = 0;

	while (r == 0)
		r = converse_once(process, &c, e);
	return c.failed ? -e->number : r < 0 ? r : 0;
}
