#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "base/unit.h"

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* a name that tries to look like the end of the name in /proc/PID/stat */
		prctl(PR_SET_NAME, "a) S 1 (b");
		pause();
		_exit(0);
	}
	return pid;
}

START_TEST(a_process_is_told_by_its_start_time)
{
	uint64_t started, again;
	pid_t pid = start_sleeper();

	ck_assert_int_eq(process_start_time(pid, &started), 0);
	usleep(20000);
	ck_assert_int_eq(process_start_time(pid, &again), 0);
	ck_assert_uint_eq(started, again);
	ck_assert_uint_gt(started, 0);
	own_fd int fd = process_open(pid, started);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(process_open(pid, started + 1), -ESRCH);
	ck_assert_int_eq(process_signal(fd, SIGUSR1), 0);
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 128 + SIGUSR1);
	ck_assert_int_eq(process_signal(fd, SIGUSR1), -ESRCH);
	ck_assert_int_eq(process_open(pid, started), -ESRCH);
	ck_assert_int_eq(process_start_time(pid, &again), -ESRCH);
}
END_TEST

START_TEST(numbers_that_are_no_process_are_never_signalled)
{
	ck_assert_int_eq(process_open(0, 0), -ESRCH);
	ck_assert_int_eq(process_open(-1, 0), -ESRCH);
	ck_assert_int_eq(process_open(getpid(), 1), -ESRCH);
}
END_TEST

START_TEST(wait_gives_the_shells_number)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(42);
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 42);
	ck_assert_int_eq(process_wait(pid), -ECHILD);
}
END_TEST

START_TEST(a_boot_has_an_id)
{
	char first[37], second[37];
	struct err e;

	ck_assert_int_eq(process_boot_id(first, &e), 0);
	ck_assert_int_eq(process_boot_id(second, &e), 0);
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(strlen(first), 36);
}
END_TEST

UNIT_MAIN("base/process", UNIT(a_process_is_told_by_its_start_time),
	  UNIT(numbers_that_are_no_process_are_never_signalled), UNIT(wait_gives_the_shells_number),
	  UNIT(a_boot_has_an_id))
