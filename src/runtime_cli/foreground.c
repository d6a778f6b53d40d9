#include "runtime_cli/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/terminal.h"
#include "runtime/notify.h"
#include "runtime/runtime.h"

/* One direction of the terminal. */
struct pump {
	int from, to; /* -1: closed */
	char bytes[4096];
	size_t length, sent;
};

struct foreground {
	struct runtime_process *process;
	int signals;
	struct runtime_notify *notify;
	struct pump in, out;
};

/* Blocks them, and returns what is readable once one has come. */
static int hold(const sigset_t *set, sigset_t *before, struct err *e)
{
	if (sigprocmask(SIG_BLOCK, set, before) < 0)
		return err_sys(e, "block signals");
	int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "make a signalfd") : fd;
}

int runtime_cli_foreground_hold(sigset_t *before, struct err *e)
{
	static const int ours[] = { SIGTERM, SIGINT };
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (sigaction(ours[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, ours[i]);
	return hold(&set, before, e);
}

int runtime_cli_foreground_open(struct err *e)
{
	/* those that tell of a fault of our own, and those that nobody can keep */
	static const int ours[] = { SIGSEGV, SIGBUS,  SIGFPE, SIGILL,  SIGABRT, SIGTRAP,
				    SIGSYS,  SIGCHLD, SIGURG, SIGPIPE, SIGTTIN, SIGTTOU };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		sigdelset(&set, ours[i]);
	return hold(&set, NULL, e);
}

static void resize(const struct foreground *f)
{
	struct winsize size = { 0 };

	if (f->process->terminal >= 0 && terminal_size(&size.ws_row, &size.ws_col))
		ioctl(f->process->terminal, TIOCSWINSZ, &size);
}

static void pass_signals(const struct foreground *f)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			resize(f);
		else
			process_signal(f->process->pidfd, (int)info.ssi_signo);
	}
}

/* What poll(2) is to wait for next. */
static struct pollfd pump_poll(const struct pump *p)
{
	if (p->from < 0)
		return (struct pollfd){ .fd = -1 };
	if (p->length)
		return (struct pollfd){ .fd = p->to, .events = POLLOUT };
	return (struct pollfd){ .fd = p->from, .events = POLLIN };
}

/* False: there is nothing more to come, or nobody who takes it. */
static bool pump_move(struct pump *p)
{
	ssize_t n;

	if (!p->length) {
		n = read(p->from, p->bytes, sizeof(p->bytes));
		p->length = n > 0 ? (size_t)n : 0;
		p->sent = 0;
	} else {
		n = write(p->to, p->bytes + p->sent, p->length - p->sent);
		p->sent += n > 0 ? (size_t)n : 0;
		if (p->sent == p->length)
			p->length = 0;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A message that cannot be handed on is lost; the container is not to suffer from it. */
static void pass_notification(const struct foreground *f)
{
	struct err lost;

	if (runtime_notify_forward(f->notify, getpid(), &lost) < 0 && lost.number != EAGAIN)
		log_warning("%s", lost.text);
}

static void move(struct pump *p, short events)
{
	if (events && !pump_move(p))
		p->from = -1;
}

/* Waits for something to do, and does it; once the process has ended it just looks. 0: nothing. */
static int relay_once(struct foreground *f, bool *ended)
{
	struct pollfd fds[] = { { .fd = *ended ? -1 : f->process->pidfd, .events = POLLIN },
				{ .fd = f->signals, .events = POLLIN },
				{ .fd = f->notify ? f->notify->socket : -1, .events = POLLIN },
				pump_poll(&f->out),
				pump_poll(&f->in) };

	int n = poll(fds, sizeof(fds) / sizeof(*fds), *ended ? 0 : -1);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	*ended |= fds[0].revents != 0;
	if (fds[1].revents)
		pass_signals(f);
	if (fds[2].revents)
		pass_notification(f);
	move(&f->out, fds[3].revents);
	move(&f->in, fds[4].revents);
	return n;
}

/* Until the process has ended and its last words are out. */
static void relay(struct foreground *f)
{
	bool ended = false;

	while (relay_once(f, &ended) > 0)
		if (ended && f->out.from < 0)
			return;
}

int runtime_cli_foreground_wait(struct runtime_process *process, int signals,
				struct runtime_notify *notify, struct err *e)
{
	struct foreground f = { .process = process,
				.signals = signals,
				.notify = notify,
				.in = { .from = -1 },
				.out = { .from = -1 } };
	struct terminal terminal = TERMINAL_NONE;

	if (process->terminal >= 0) {
		fcntl(process->terminal, F_SETFL, O_RDWR | O_NONBLOCK);
		f.out.from = f.in.to = process->terminal;
		f.out.to = STDOUT_FILENO;
		f.in.from = STDIN_FILENO;
		resize(&f);
		if (isatty(STDIN_FILENO) && terminal_raw(&terminal, STDIN_FILENO, e) < 0)
			return -e->number;
	}
	relay(&f);
	terminal_restore(&terminal);
	int status = process_wait(process->pid);
	return status < 0 ? err_number(e, -status, "wait for the container's process")
			  : process_exit_code(status);
}
