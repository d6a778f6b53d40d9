#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

/* The name, field 2, may hold spaces and brackets: counted from its last bracket. Field 3 is a
 * letter. */
static int parse_stat(const char *text, struct process_stat *ret)
{
	enum { PARENT = 4, SESSION = 6, START_TIME = 22 };
	const char *at = strrchr(text, ')');

	for (int field = 3; at && field <= START_TIME; field++) {
		at = strchr(at + 1, ' ');
		if (at && field == PARENT)
			ret->parent = (pid_t)strtol(at, NULL, 10);
		if (at && field == SESSION)
			ret->session = (pid_t)strtol(at, NULL, 10);
	}
	if (!at)
		return -ESRCH;
	ret->start_time = strtoull(at, NULL, 10);
	return 0;
}

int process_stat_read(pid_t pid, struct process_stat *ret)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	return parse_stat(text, ret);
}

int process_start_time(pid_t pid, uint64_t *ret)
{
	struct process_stat stat;
	int r = process_stat_read(pid, &stat);

	if (r == 0)
		*ret = stat.start_time;
	return r;
}

int process_open(pid_t pid, uint64_t start_time)
{
	uint64_t now;

	if (pid <= 0)
		return -ESRCH;
	own_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	/* after the pidfd is held the number cannot change hands unseen */
	if (process_start_time(pid, &now) < 0 || now != start_time)
		return -ESRCH;
	return take_fd(&fd);
}

int process_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool process_ended(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, 0) == 1;
}

int process_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int process_exit_code(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return 255;
}

void process_reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

bool process_has_capability(unsigned number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	return syscall(SYS_capget, &header, sets) == 0 &&
	       (sets[number / 32].effective & 1U << number % 32);
}

int process_boot_id(char to[37], struct err *e)
{
	own_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /proc/sys/kernel/random/boot_id");
	if (read(fd, to, 36) != 36)
		return err_sys(e, "read /proc/sys/kernel/random/boot_id");
	to[36] = '\0';
	return 0;
}
