/* Runs holm-init as it runs in a container, as PID 1 of a PID namespace of its own (needs root;
 * skipped otherwise). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/unit.h"

struct run {
	pid_t init;
	int out;    /* what the command writes */
	int errors; /* what holm-init writes when execve fails */
};

static void child(const char *letters, const char *path, char **argv, int errors)
{
	char number[16];
	char *init_argv[16] = { "holm-init", number, (char *)path, (char *)letters };

	for (int i = 0; argv[i]; i++)
		init_argv[4 + i] = argv[i];
	process_reset_signals(); /* one that is ignored from the start no shell can trap */
	snprintf(number, sizeof(number), "%d", fcntl(errors, F_DUPFD, 3));
	fcntl(atoi(number), F_SETFD, 0);
	execv(getenv("HOLM_INIT"), init_argv);
	_exit(99);
}

static struct run start_with(const char *letters, const char *path, char **argv)
{
	int out[2], errors[2];
	struct run run;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(errors, O_CLOEXEC), 0);
	ck_assert_int_eq(unshare(CLONE_NEWPID), 0);
	run.init = fork();
	if (run.init == 0) {
		dup2(out[1], 1);
		child(letters, path, argv, errors[1]);
	}
	close(out[1]);
	close(errors[1]);
	run.out = out[0];
	run.errors = errors[0];
	return run;
}

static struct run start(const char *path, char **argv)
{
	return start_with("-", path, argv);
}

static int wait_code(const struct run *run)
{
	return process_exit_code(process_wait(run->init));
}

static void wait_for(const struct run *run, const char *line)
{
	char text[64] = "";

	ck_assert_int_gt(read(run->out, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, line);
}

#define SHELL(script) start("/bin/sh", (char *[]){ "sh", "-c", script, NULL })

START_TEST(the_commands_exit_code_is_its_own)
{
	struct run run = SHELL("exit 37");
	ck_assert_int_eq(wait_code(&run), 37);
}
END_TEST

START_TEST(a_command_killed_by_a_signal_is_128_and_the_signal)
{
	struct run run = SHELL("kill -KILL $$");
	ck_assert_int_eq(wait_code(&run), 128 + SIGKILL);
}
END_TEST

START_TEST(signals_are_passed_on)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGUSR1, SIGINT };
	struct run run = SHELL("trap 'echo term; exit 1' TERM; trap 'echo hup; exit 2' HUP;"
			       "trap 'echo usr1; exit 3' USR1; trap 'echo int; exit 4' INT;"
			       "echo ready; while :; do sleep 0.02; done");

	wait_for(&run, "ready\n");
	kill(run.init, signals[_i]);
	ck_assert_int_eq(wait_code(&run), _i + 1);
}
END_TEST

START_TEST(a_signal_that_the_command_does_not_catch_ends_it)
{
	struct run run = SHELL("echo ready; exec sleep 60");

	wait_for(&run, "ready\n");
	kill(run.init, SIGTERM);
	ck_assert_int_eq(wait_code(&run), 128 + SIGTERM);
}
END_TEST

START_TEST(orphans_are_reaped)
{
	/* the inner shell's child loses its parent and ends; as a zombie it would still have its
	 * /proc folder (of the outer /proc, so the test looks for the state by its parent) */
	struct run run = SHELL("sh -c 'sleep 0.05 & exit 0'; sleep 0.3; echo ready; exec sleep 60");
	char path[64], text[4096] = "";

	wait_for(&run, "ready\n");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)run.init, (int)run.init);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
		/* one child: "1234 " */
		ck_assert_ptr_eq(strchr(text, ' '), text + strlen(text) - 1);
	}
	kill(run.init, SIGKILL);
	wait_code(&run);
}
END_TEST

START_TEST(a_command_that_is_not_there_is_told_by_its_errno)
{
	int number = 0;
	struct run run = start("/no/such/program", (char *[]){ "x", NULL });

	ck_assert_int_eq(read(run.errors, &number, sizeof(number)), sizeof(number));
	ck_assert_int_eq(number, ENOENT);
	ck_assert_int_eq(wait_code(&run), 127);
}
END_TEST

START_TEST(the_start_of_the_command_is_told_at_once)
{
	int number;
	struct run run = SHELL("echo ready; exec sleep 60");

	ck_assert_int_eq(read(run.errors, &number, sizeof(number)), 0);
	ck_assert_int_eq(kill(run.init, 0), 0);
	kill(run.init, SIGKILL);
	wait_code(&run);
}
END_TEST

START_TEST(a_command_that_cannot_run_is_126)
{
	int number = 0;
	struct run run = start("/etc/passwd", (char *[]){ "x", NULL });

	ck_assert_int_eq(read(run.errors, &number, sizeof(number)), sizeof(number));
	ck_assert_int_eq(number, EACCES);
	ck_assert_int_eq(wait_code(&run), 126);
}
END_TEST

static const struct {
	const char *letters, *variable, *script;
} told[] = {
	{ "-dl", "LISTEN_PID", "[ $LISTEN_PID = $$ ]" },
	{ "-d", "LISTEN_PID", "[ $LISTEN_PID = 0000000000 ]" },
	{ "-l", "LISTEN_PIDS", "[ $LISTEN_PIDS = 0000000000 ] && [ -z \"$LISTEN_PID\" ]" },
};

START_TEST(the_pid_of_the_command_is_written_over_the_room_for_it)
{
	char *argv[] = { "sh", "-c", (char *)told[_i].script, NULL };

	setenv(told[_i].variable, "0000000000", 1);
	struct run run = start_with(told[_i].letters, "/bin/sh", argv);
	ck_assert_int_eq(wait_code(&run), 0);
}
END_TEST

START_TEST(what_it_is_not_called_for_is_refused)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl(getenv("HOLM_INIT"), "holm-init", "12x", "/bin/true", "--", "true", NULL);
		_exit(99);
	}
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 125);
}
END_TEST

static pid_t start_and_leave(const char *mode)
{
	int out[2], errors[2];
	pid_t init = 0;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(errors, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		init = fork();
		if (init == 0) {
			char number[16];
			snprintf(number, sizeof(number), "%d", fcntl(errors[1], F_DUPFD, 3));
			dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 1);
			execl(getenv("HOLM_INIT"), "holm-init", number, "/bin/sleep", mode, "sleep",
			      "100", NULL);
			_exit(99);
		}
		if (write(out[1], &init, sizeof(init)) != sizeof(init))
			_exit(1);
		close(errors[1]);
		/* until the command runs, so that all has been said by then */
		if (read(errors[0], &init, sizeof(init)) != 0)
			_exit(1);
		_exit(0);
	}
	close(errors[1]);
	ck_assert_int_eq(read(out[0], &init, sizeof(init)), sizeof(init));
	ck_assert_int_eq(process_wait(parent), 0);
	return init;
}

/* Also if nobody has waited for it yet. */
static bool has_ended(pid_t pid, int tries)
{
	uint64_t start;
	own_fd int pidfd = process_start_time(pid, &start) == 0 ? process_open(pid, start) : -1;

	for (int i = 0; pidfd >= 0 && !process_ended(pidfd); i++) {
		if (i == tries)
			return false;
		usleep(10000);
	}
	return true;
}

START_TEST(it_dies_with_its_parent_if_it_is_told_to)
{
	pid_t alone = start_and_leave("--");
	pid_t follower = start_and_leave("-d");
	bool followed = has_ended(follower, 300), ended = has_ended(alone, 0);

	kill(alone, SIGKILL);
	if (!followed)
		kill(follower, SIGKILL);
	ck_assert(followed);
	ck_assert(!ended);
}
END_TEST

static int run_all(void);
int main(void)
{
	if (!getenv("HOLM_INIT") || geteuid() != 0) {
		puts("skipped: needs root for a PID namespace");
		return 77;
	}
	return run_all();
}

static int run_all(void)
{
	const struct unit_test tests[] = {
		UNIT(the_commands_exit_code_is_its_own),
		UNIT(a_command_killed_by_a_signal_is_128_and_the_signal),
		UNIT_LOOP(signals_are_passed_on, 4),
		UNIT(a_signal_that_the_command_does_not_catch_ends_it),
		UNIT(orphans_are_reaped),
		UNIT(a_command_that_is_not_there_is_told_by_its_errno),
		UNIT(the_start_of_the_command_is_told_at_once),
		UNIT(a_command_that_cannot_run_is_126),
		UNIT_LOOP(the_pid_of_the_command_is_written_over_the_room_for_it, COUNT_OF(told)),
		UNIT(what_it_is_not_called_for_is_refused),
		UNIT(it_dies_with_its_parent_if_it_is_told_to),
	};
	return unit_run("init", tests, sizeof(tests) / sizeof(tests[0]));
}
