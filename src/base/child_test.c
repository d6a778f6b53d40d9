#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/unit.h"

static int open_pipe(void *arg, int *fds, struct err *e)
{
	(void)arg;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	return write(fds[1], "x", 1) == 1 ? 0 : err_sys(e, "write");
}

static int refuse(void *arg, int *fds, struct err *e)
{
	(void)fds;
	return err_number(e, *(const int *)arg, "open it");
}

static int vanish(void *arg, int *fds, struct err *e)
{
	(void)arg, (void)fds, (void)e;
	_exit(1);
}

static void no_child_is_left(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(what_the_child_opened_is_the_callers)
{
	struct err e;
	int fds[2];
	char byte = 0;

	ck_assert_int_eq(child_open(fds, 2, open_pipe, NULL, &e), 0);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(fcntl(fds[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	no_child_is_left();
}
END_TEST

START_TEST(its_error_is_the_callers_too)
{
	int number = ENXIO, fds[1] = { -7 };
	struct err e;

	ck_assert_int_eq(child_open(fds, 1, refuse, &number, &e), -ENXIO);
	ck_assert_str_eq(e.text, "open it: No such device or address");
	ck_assert_int_eq(fds[0], -7);
	no_child_is_left();
}
END_TEST

START_TEST(a_child_that_ends_without_a_word_is_an_error)
{
	struct err e;
	int fds[1];

	ck_assert_int_lt(child_open(fds, 1, vanish, NULL, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INTERNAL);
	no_child_is_left();
}
END_TEST

UNIT_MAIN("base/child", UNIT(what_the_child_opened_is_the_callers),
	  UNIT(its_error_is_the_callers_too), UNIT(a_child_that_ends_without_a_word_is_an_error))
