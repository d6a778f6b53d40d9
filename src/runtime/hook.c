/* hook.c - the parent feeds the input through a pipe and keeps the end of what comes on standard
 * error. Neither can block: a hook need not read its input, and what it leaves in the background
 * may hold its standard error for ever. That the hook itself has ended tells its pidfd.
 *
 * fork by clone(2), not clone3(2): hooks are also run behind a container's own seccomp filter, and
 * the usual ones answer clone3 with ENOSYS. */
#include "runtime/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/command.h"

enum { STREAMS = 3, WORDS_MAX = 512, TURN_MS = 200 };

/* The end of what a hook said on standard error. */
struct words {
	char text[WORDS_MAX];
	size_t length;
};

struct running {
	pid_t pid;
	int pidfd;
	int input; /* our end; -1: all is written, or nobody reads it */
	int error;
	const char *left; /* of the input */
	struct words words;
};

/* ---- in the hook's process ---- */

/* The sources may be 0 to 2 themselves. */
static int take_streams(const int from[STREAMS])
{
	int copies[STREAMS];

	for (int i = 0; i < STREAMS; i++)
		if ((copies[i] = fcntl(from[i], F_DUPFD_CLOEXEC, STREAMS)) < 0)
			return -1;
	for (int i = 0; i < STREAMS; i++)
		if (dup2(copies[i], i) < 0)
			return -1;
	return (int)syscall(SYS_close_range, STREAMS, ~0U, 0);
}

_Noreturn static void child(const struct oci_hook *hook, const char *folder,
			    const int from[STREAMS])
{
	char *only_path[] = { hook->path, NULL };
	char *nothing[] = { NULL };

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_reset_signals();
	if (take_streams(from) < 0)
		_exit(126);
	if (folder && chdir(folder) < 0 && chdir("/") < 0)
		_exit(126);
	execve(hook->path, hook->args.count ? hook->args.items : only_path,
	       hook->env.count ? hook->env.items : nothing);
	dprintf(STDERR_FILENO, "exec: %s\n", strerrordesc_np(errno));
	_exit(127);
}

/* ---- in the caller: what is said ---- */

static void keep_end(struct words *words, const char *bytes, size_t length)
{
	size_t drop = words->length + length;

	drop = drop > WORDS_MAX - 1 ? drop - (WORDS_MAX - 1) : 0;
	if (drop >= words->length) {
		bytes += drop - words->length;
		length -= drop - words->length;
		words->length = 0;
	} else {
		words->length -= drop;
		memmove(words->text, words->text + drop, words->length);
	}
	memcpy(words->text + words->length, bytes, length);
	words->length += length;
}

static const char *last_line(struct words *words)
{
	words->text[words->length] = '\0';
	for (size_t i = 0; i < words->length; i++)
		if (words->text[i] == '\0')
			words->text[i] = ' ';
	while (words->length && strchr(" \t\r\n", words->text[words->length - 1]))
		words->text[--words->length] = '\0';
	const char *newline = strrchr(words->text, '\n');
	return newline ? newline + 1 : words->text;
}

/* Returns false at the end. */
static bool hear(struct running *hook)
{
	char bytes[4096];

	ssize_t n = read(hook->error, bytes, sizeof(bytes));
	if (n > 0)
		keep_end(&hook->words, bytes, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What is there; the pipe may stay open. At most what a pipe holds, lest a chatterbox in the
 * background keeps us here. */
static void hear_the_rest(struct running *hook)
{
	enum { PIPE_BYTES = 1 << 16, READ_BYTES = 4096 };
	struct pollfd ready = { .fd = hook->error, .events = POLLIN };

	for (int i = 0; i < PIPE_BYTES / READ_BYTES && hook->error >= 0; i++)
		if (poll(&ready, 1, 0) <= 0 || !hear(hook))
			return;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A hook that does not read is no failure. */
static void feed(struct running *hook)
{
	ssize_t n = write(hook->input, hook->left, strlen(hook->left));

	if (n > 0)
		hook->left += n;
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || !*hook->left)
		close_end(&hook->input);
}

/* ---- in the caller: the end ---- */

static void reap(struct running *hook)
{
	close_end(&hook->input);
	close_end(&hook->error);
	close_end(&hook->pidfd);
}

static int explain(struct running *hook, int status, struct err *e)
{
	char name[SIGNAL_NAME_SIZE];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	hear_the_rest(hook);
	const char *line = last_line(&hook->words);
	const char *between = *line ? ": " : "";
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYSTEM, "killed by %s%s%s",
			       signal_name(WTERMSIG(status), name), between, line);
	return err_set(e, ERR_SYSTEM, "exit status %d%s%s", WEXITSTATUS(status), between, line);
}

static void give_up(struct running *hook)
{
	/* not reaped yet: the number is still its own */
	kill(-hook->pid, SIGKILL);
	process_signal(hook->pidfd, SIGKILL);
	process_wait(hook->pid);
}

/* Milliseconds for poll(2); 0: over. */
static int time_left(int64_t end_ns)
{
	if (!end_ns)
		return -1;
	int64_t left = end_ns - moment_monotonic_ns();
	if (left <= 0)
		return 0;
	return left / 1000000 >= INT_MAX ? INT_MAX : (int)(left / 1000000) + 1;
}

/* Reads and writes what is ready; the order is attend()'s. */
static void serve(struct running *hook, const struct pollfd *ready)
{
	if (ready[1].revents)
		feed(hook);
	if (ready[2].revents && !hear(hook))
		close_end(&hook->error);
}

static int attend(struct running *hook, const struct oci_hook *spec,
		  const struct runtime_hook_streams *streams, struct err *e)
{
	int64_t end_ns = spec->timeout ? moment_monotonic_ns() + *spec->timeout * 1000000000 : 0;

	for (;;) {
		struct pollfd ready[] = { { hook->pidfd, POLLIN, 0 },
					  { hook->input, POLLOUT, 0 },
					  { hook->error, POLLIN, 0 },
					  { streams->stop_fd, POLLIN, 0 } };
		int left = time_left(end_ns);
		if (left == 0) {
			give_up(hook);
			return err_set(e, ERR_TIMEOUT, "killed after its timeout of %lld s",
				       (long long)*spec->timeout);
		}
		if (streams->turn)
			streams->turn(streams->context);
		if (streams->turn && (left < 0 || left > TURN_MS))
			left = TURN_MS;
		if (poll(ready, COUNT_OF(ready), left) < 0)
			continue;
		if (ready[0].revents)
			return explain(hook, process_wait(hook->pid), e);
		if (ready[3].revents) {
			give_up(hook);
			return err_set(e, ERR_SYSTEM, "killed, because a signal came");
		}
		serve(hook, ready);
	}
}

/* ---- in the caller: the beginning ---- */

static int open_pipe(int ends[2], int ours, struct err *e)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	fcntl(ends[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

static int spawn(struct running *ret, const struct oci_hook *hook,
		 const struct runtime_hook_streams *streams, struct err *e)
{
	int input[2] = { -1, -1 }, error[2] = { -1, -1 };

	int r = open_pipe(input, 1, e);
	own_fd int read_end = input[0];
	ret->input = input[1];
	if (r == 0 && streams->error < 0)
		r = open_pipe(error, 0, e);
	own_fd int write_end = error[1];
	ret->error = error[0];
	if (r < 0)
		return r;
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int from[STREAMS] = { read_end, streams->output < 0 ? null : streams->output,
			      streams->error < 0 ? write_end : streams->error };
	if (from[1] < 0)
		return err_sys(e, "open /dev/null");
	long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &ret->pidfd, NULL, NULL);
	if (pid == 0)
		child(hook, streams->bundle, from);
	if (pid < 0)
		return err_sys(e, "fork");
	ret->pid = (pid_t)pid;
	return 0;
}

static int run(const struct oci_hook *hook, const struct runtime_hook_streams *streams,
	       struct err *e)
{
	own_clear(reap) struct running running = {
		.pidfd = -1, .input = -1, .error = -1, .left = streams->input
	};

	int number = runtime_command_probe(hook->path);
	if (number)
		return err_number(e, number, "cannot be run");
	int r = spawn(&running, hook, streams, e);
	return r < 0 ? r : attend(&running, hook, streams, e);
}

int runtime_hook_run(const struct oci_hook *hook, const struct runtime_hook_streams *streams,
		     struct err *e)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	int64_t begin = moment_monotonic_ns();
	sigaction(SIGPIPE, &ignore, &before);
	int r = run(hook, streams, e);
	sigaction(SIGPIPE, &before, NULL);
	log_debug("hook %s: %lld us", hook->path,
		  (long long)(moment_monotonic_ns() - begin) / 1000);
	return r < 0 ? err_add(e, "%s", hook->path) : 0;
}

int runtime_hook_check(const struct oci_hook *hook, struct err *e)
{
	/* what fits into 64 bits of nanoseconds, too */
	const int64_t timeout_max = INT32_MAX;

	if (str_empty(hook->path) || *hook->path != '/')
		return err_set(e, ERR_INVALID, "path '%s' is not absolute",
			       hook->path ? hook->path : "");
	if (hook->timeout && (*hook->timeout <= 0 || *hook->timeout > timeout_max))
		return err_set(e, ERR_INVALID, "timeout %lld is not between 1 and %lld",
			       (long long)*hook->timeout, (long long)timeout_max);
	return 0;
}
