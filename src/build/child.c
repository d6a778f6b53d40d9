#include "build/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "build/step.h"

/* Goes up the pipe in one write. */
struct said {
	int result;
	struct err error;
	char answer[IMAGE_DIGEST_SIZE];
};

static void do_work(const struct build *build, build_child_work *work, const void *context,
		    pid_t parent, int fd)
{
	struct said said = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	build_stop_allow(&build->stop);
	if (getppid() != parent)
		_exit(1);
	said.result = work(build, context, said.answer, &said.error);
	_exit(write(fd, &said, sizeof(said)) < 0);
}

/* Until the child has said how it went, or ended; ctrl-C ends it. */
static ssize_t wait_for_child(const struct build *build, pid_t pid, int fd, struct said *ret)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = build->stop.fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(polled, COUNT_OF(polled), -1) < 0 && errno != EINTR)
			return -errno;
		if (polled[1].revents) {
			kill(pid, SIGTERM);
			polled[1].fd = -1;
		}
		if (polled[0].revents)
			return read(fd, ret, sizeof(*ret));
	}
}

int build_child_run(const struct build *build, const char *what, build_child_work *work,
		    const void *context, char answer[IMAGE_DIGEST_SIZE], struct err *e)
{
	struct said said;
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int from = ends[0];
	own_fd int to = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		do_work(build, work, context, parent, to);
	close(take_fd(&to));
	ssize_t n = wait_for_child(build, pid, from, &said);
	process_wait(pid);
	int r = build_stop_check(build->stop.fd, e);
	if (r < 0)
		return r;
	if (n != (ssize_t)sizeof(said))
		return err_set(e, ERR_INTERNAL, "%s ended without a word", what);
	if (said.result < 0)
		*e = said.error;
	else if (answer)
		memcpy(answer, said.answer, sizeof(said.answer));
	return said.result < 0 ? said.result : 0;
}
