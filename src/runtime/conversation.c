/* conversation.c - from clone3(2) to exec(2):
 *
 *	parent				child
 *	prepare, cgroup
 *	clone3  ---------------------->
 *	ids, OOM score ------------->	PREPARED, where one of them is to be written
 *					set up, drop rights
 *			NETWORK	<------	only for devices of the host; PREPARED answers
 *			HOOKS	<------	only where there are any; PREPARED answers
 *			LISTENER <-----	only of a filter that notifies; nobody waits
 *			PID	<------	where a namespace is entered by a fork: its number
 *			READY	<------	with the terminal's master
 *	(runtime_start) START	------>		or DETACH, and START from another process; of an
 *						exec that waits for nothing it is there before
 *					exec; the channel closes by itself
 */
#include "runtime/conversation.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "runtime/channel.h"
#include "runtime/cover.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/net_device.h"
#include "runtime/runtime.h"
#include "runtime/seccomp_agent.h"

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

struct conversation {
	const struct runtime_launch *launch;
	int listener; /* has come, and waits to be sent; -1: no */
	bool hooks;   /* HOOKS has come */
	int forks;    /* how many PIDs are still to come */
	bool ready;   /* READY has come */
	bool failed;  /* an error has come, which is in e */
};

/* In the runtime's namespaces, once the process that their state names is known. */
static int run_hooks(struct runtime_process *process, struct conversation *c, struct err *e)
{
	const struct runtime_hooks *hooks = &c->launch->hooks;

	if (!c->hooks || c->forks > c->launch->fork)
		return 0;
	c->hooks = false;
	int r = runtime_hooks_run(hooks, RUNTIME_HOOKS_PRESTART, process->pid, NULL, e);
	if (r == 0)
		r = runtime_hooks_run(hooks, RUNTIME_HOOKS_CREATE_RUNTIME, process->pid, NULL, e);
	if (r == 0 &&
	    runtime_channel_send(process->channel, RUNTIME_MESSAGE_PREPARED, 0, NULL, 0, e) < 0)
		return explain_death(process, e);
	return r;
}

static int move_devices(struct runtime_process *process, const struct conversation *c,
			const int fds[RUNTIME_CHANNEL_FDS], struct err *e)
{
	own_fd int namespace = fds[0];
	own_fd int socket = fds[1];

	int r = runtime_net_device_move_in_parent(c->launch->spec, namespace, socket, e);
	if (r == 0 &&
	    runtime_channel_send(process->channel, RUNTIME_MESSAGE_PREPARED, 0, NULL, 0, e) < 0)
		return explain_death(process, e);
	return r;
}

/* To whoever answers for the filter, once the process that it is told of is known. */
static int send_listener(const struct runtime_process *process, struct conversation *c,
			 struct err *e)
{
	own_fd int listener = take_fd(&c->listener);

	if (listener < 0)
		return 0;
	return runtime_seccomp_agent_send_in_parent(c->launch, process->pid, listener, e);
}

static int take_listener(const struct runtime_process *process, struct conversation *c, int fd,
			 struct err *e)
{
	c->listener = fd;
	return c->forks > 0 ? 0 : send_listener(process, c, e);
}

static int take_pid(struct runtime_process *process, struct conversation *c, pid_t pid,
		    struct err *e)
{
	c->forks--;
	int r = replace_process(process, pid, e);
	if (r == 0 && c->forks <= 0)
		r = send_listener(process, c, e);
	if (r == 0)
		r = run_hooks(process, c, e);
	return r;
}

/* A process that is still to fork may meet its own filter first: then it waits for an answer, and
 * can tell its last pid only after that. */
static int wait_for_message(const struct runtime_process *process, struct conversation *c,
			    struct err *e)
{
	const int fds[] = { process->channel, c->listener };
	struct pollfd asked = { c->listener, POLLIN, 0 };

	if (c->listener < 0 && !process->covers)
		return 0;
	runtime_cover_serve_in_parent(process->covers, fds);
	if (c->listener < 0 || poll(&asked, 1, 0) <= 0)
		return 0;
	return asked.revents & POLLIN ? send_listener(process, c, e) : 0;
}

/* A hook in the container may run for as long as it likes. */
static int wait_unless_stopped(const struct runtime_process *process, const struct conversation *c,
			       struct err *e)
{
	int stop = c->launch->options->stop_fd;
	struct pollfd fds[] = { { process->channel, POLLIN, 0 }, { stop, POLLIN, 0 } };

	if (stop < 0 || c->failed)
		return 0;
	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the process");
	return fds[0].revents ? 0 : err_set(e, ERR_SYSTEM, "a signal came");
}

/* One message. Returns 1 when there is nothing more to say. */
static int converse_once(struct runtime_process *process, struct conversation *c, struct err *e)
{
	int fds[RUNTIME_CHANNEL_FDS] = { -1, -1 };
	int value = 0;
	struct err later;

	int message = wait_for_message(process, c, c->failed ? &later : e);
	if (message == 0)
		message = wait_unless_stopped(process, c, e);
	if (message < 0)
		return message;
	message = runtime_channel_receive(process->channel, &value, fds, c->failed ? &later : e);
	switch (message) {
	case RUNTIME_MESSAGE_NONE:
		return c->failed ? 1 : explain_death(process, e);
	case RUNTIME_MESSAGE_FAILED:
		c->failed = true;
		return 0;
	case RUNTIME_MESSAGE_READY:
		c->ready = true;
		process->terminal = fds[0];
		return c->forks <= 0;
	case RUNTIME_MESSAGE_NETWORK:
		return move_devices(process, c, fds, e);
	case RUNTIME_MESSAGE_HOOKS:
		c->hooks = true;
		return run_hooks(process, c, e);
	case RUNTIME_MESSAGE_LISTENER:
		return take_listener(process, c, fds[0], e);
	case RUNTIME_MESSAGE_PID:
		message = take_pid(process, c, value, e);
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
	struct conversation c = { .launch = launch, .listener = -1, .forks = forks };
	int r = 0;

	while (r == 0)
		r = converse_once(process, &c, e);
	if (c.listener >= 0)
		close(c.listener);
	return c.failed ? -e->number : r < 0 ? r : 0;
}
