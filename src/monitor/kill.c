#include "monitor/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "monitor/state.h"

enum { DEATH_MS = 10000 };

/* A pidfd of the monitor, or 0: there is none. The lock's holder is asked for twice: it is the same
 * before and after, so the descriptor is its own and not that of a later process of its number. */
static int open_monitor(int run_fd, struct err *e)
{
	pid_t pid = monitor_state_alive(run_fd);
	if (pid == 0)
		return 0;
	if (pid < 0)
		return err_number(e, -pid, "ask for the monitor");
	if (pid == 1)
		return err_set(e, ERR_STATE, "its monitor runs in another PID namespace");

	own_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 && errno != ESRCH)
		return err_sys(e, "open the monitor, process %d", (int)pid);
	if (fd < 0 || monitor_state_alive(run_fd) != pid)
		return 0;
	return take_fd(&fd);
}

static int kill_and_wait(const char *run_dir, int signal, int wait_ms, struct err *e)
{
	own_fd int run_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", run_dir);
	int fd = open_monitor(run_fd, e);
	if (fd <= 0)
		return fd;

	own_fd int monitor = fd;
	int r = process_signal(monitor, signal);
	if (r < 0 && r != -ESRCH)
		return err_number(e, -r, "signal the monitor");
	struct pollfd death = { .fd = monitor, .events = POLLIN };
	do
		r = poll(&death, 1, wait_ms);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : err_set(e, ERR_TIMEOUT, "its monitor was told to end and does not");
}

int monitor_kill(const char *run_dir, struct err *e)
{
	return kill_and_wait(run_dir, SIGKILL, DEATH_MS, e);
}

int monitor_kill_shutdown(const char *run_dir, int wait_ms, struct err *e)
{
	return kill_and_wait(run_dir, SIGTERM, wait_ms, e);
}
