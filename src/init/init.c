/* init.c - holm-init, PID 1 of an application container. It starts the one command, passes every
 * signal on to it, reaps whatever is orphaned, and ends as the command ended.
 *
 *	holm-init ERROR_FD PATH -[d][l] ARGV0 [ARG...]
 *
 * With d it dies with its parent: the runtime has said so to the kernel before, which forgets it
 * where the exec of this program changed an AppArmor profile. With l the command's pid is written
 * over the digits of LISTEN_PID in the environment (sd_listen_fds(3)). PATH was found by the
 * runtime; ARGV0... are the command's own words. If execve(2) fails, its errno is written to
 * ERROR_FD as one int; if not, that descriptor closes by itself. Those from 3 up to it are the
 * command's alone.
 *
 * There is no C library in it: glibc would make 800 kB of these few system calls, and each
 * container would pay for the pages. So there is no errno either: a call returns -errno. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "init/syscall.h"

enum {
	SIGNAL_SET_BYTES = 8, /* the kernel's sigset_t, not the C library's 128 bytes */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_BAD_USAGE = 125,
	FIRST_FD = 3,
};

/* struct sigaction as rt_sigaction(2) takes it */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

/* Faults of our own must kill us, not wait in the mask for ever. */
static const unsigned long all_but_faults =
	~(1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1) | 1UL << (SIGILL - 1) | 1UL << (SIGFPE - 1) |
	  1UL << (SIGTRAP - 1) | 1UL << (SIGABRT - 1));

static int number_of(const char *text)
{
	int number = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (number > 1 << 20)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return *text ? -1 : number;
}

static void set_mask(unsigned long mask)
{
	call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, SIGNAL_SET_BYTES);
}

static void set_action(int signal, long handler)
{
	struct kernel_sigaction action = { .handler = (void (*)(int))handler };

	call4(SYS_rt_sigaction, signal, (long)&action, 0, SIGNAL_SET_BYTES);
}

static int has_letter(const char *text, char letter)
{
	while (*text && *text != letter)
		text++;
	return *text != 0;
}

/* The value of NAME=value, if that is the name. */
static char *value_of(char *assignment, const char *name)
{
	while (*name && *assignment == *name) {
		assignment++;
		name++;
	}
	return *name == 0 && *assignment == '=' ? assignment + 1 : 0;
}

/* Over as many digits as are there, which is enough for any. */
static void write_listen_pid(char **environment)
{
	long pid = call0(SYS_getpid);
	char *value = 0;

	for (; *environment && !value; environment++)
		value = value_of(*environment, "LISTEN_PID");
	if (!value)
		return;
	char *digit = value;
	for (long rest = pid; rest; rest /= 10)
		digit++;
	for (*digit = 0; digit > value; pid /= 10)
		*--digit = (char)('0' + pid % 10);
}

/* Its own process group in the foreground of the terminal, so that ctrl-c reaches the command and
 * a shell finds job control as it expects it. tcsetpgrp from the background would stop us by
 * SIGTTOU, hence that is ignored meanwhile. Without a terminal the ioctl fails, and that is
 * fine. */
static void take_terminal(void)
{
	int group = (int)call0(SYS_getpid);

	call2(SYS_setpgid, 0, 0);
	set_action(SIGTTOU, (long)SIG_IGN);
	call3(SYS_ioctl, 0, TIOCSPGRP_NUMBER, (long)&group);
	set_action(SIGTTOU, (long)SIG_DFL);
}

static _Noreturn void run_command(int error_fd, const char *path, char **argv, char **environment)
{
	take_terminal();
	set_mask(0);
	/* its closing by execve tells the parent that the command runs */
	call3(SYS_fcntl, error_fd, F_SETFD, FD_CLOEXEC);
	/* where PID 1 is somebody else's (--pid host) nothing ends the command with us */
	if (call0(SYS_getppid) != 1)
		call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);

	int number = (int)-call3(SYS_execve, (long)path, (long)argv, (long)environment);
	call3(SYS_write, error_fd, (long)&number, sizeof(number));
	call_exit(number == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* Reaps all that has ended. Returns the command's wait status once it is among them, else -1. */
static int reap(int command)
{
	int status, result = -1;
	long pid;

	while ((pid = call4(SYS_wait4, -1, (long)&status, WNOHANG, 0)) > 0)
		if (pid == command)
			result = status;
	return result;
}

static _Noreturn void serve(int command)
{
	for (;;) {
		unsigned long mask = all_but_faults;
		int signal = (int)call4(SYS_rt_sigtimedwait, (long)&mask, 0, 0, SIGNAL_SET_BYTES);
		if (signal > 0 && signal != SIGCHLD) {
			call2(SYS_kill, command, signal);
			continue;
		}
		int status = reap(command);
		if (status >= 0)
			call_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						      : WEXITSTATUS(status));
	}
}

_Noreturn void init_main(long *stack);

/* From _start. stack: argc, argv, NULL, environment, NULL, as the kernel lays them out (System V
 * ABI). */
_Noreturn void init_main(long *stack)
{
	long count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;

	int error_fd = count > 4 ? number_of(arguments[1]) : -1;
	if (error_fd < 0)
		call_exit(STATUS_BAD_USAGE);

	/* started by descriptor, the kernel named us after its number */
	call2(SYS_prctl, PR_SET_NAME, (long)"holm-init");
	call2(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	if (has_letter(arguments[3], 'd'))
		call2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	set_mask(all_but_faults);

	long command = call_fork();
	if (command == 0 && has_letter(arguments[3], 'l'))
		write_listen_pid(environment);
	if (command == 0)
		run_command(error_fd, arguments[2], arguments + 4, environment);
	if (command < 0) {
		int number = (int)-command;
		call3(SYS_write, error_fd, (long)&number, sizeof(number));
		call_exit(STATUS_BAD_USAGE);
	}
	for (int fd = FIRST_FD; fd <= error_fd; fd++)
		call1(SYS_close, fd);
	serve((int)command);
}
