#include "build/stop.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"

static void set_of(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

int build_stop_begin(struct build_stop *ret, struct err *e)
{
	sigset_t set;

	set_of(&set);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "signalfd");
	sigprocmask(SIG_BLOCK, &set, &ret->before);
	ret->fd = fd;
	return 0;
}

void build_stop_end(struct build_stop *stop)
{
	struct signalfd_siginfo info;

	if (stop->fd < 0)
		return;
	/* those that were heeded */
	while (read(stop->fd, &info, sizeof(info)) > 0)
		;
	close(stop->fd);
	stop->fd = -1;
	sigprocmask(SIG_SETMASK, &stop->before, NULL);
}

void build_stop_allow(const struct build_stop *stop)
{
	sigprocmask(SIG_SETMASK, &stop->before, NULL);
}

int build_stop_check(int fd, struct err *e)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	if (fd < 0 || poll(&polled, 1, 0) <= 0)
		return 0;
	return err_set(e, ERR_STATE, "interrupted");
}
