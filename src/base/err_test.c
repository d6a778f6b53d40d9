#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"

START_TEST(a_sentence_grows_from_the_inside_out)
{
	struct err e;

	errno = EPERM;
	ck_assert_int_eq(err_sys(&e, "bridge %s", "holm0"), -EPERM);
	ck_assert_int_eq(err_add(&e, "connect network"), -EPERM);
	ck_assert_int_eq(err_add(&e, "run %s", "web"), -EPERM);
	ck_assert_str_eq(e.text, "run web: connect network: bridge holm0: Operation not permitted");
	ck_assert_int_eq(e.kind, ERR_PERMISSION);
}
END_TEST

START_TEST(the_hint_nearest_to_the_cause_wins)
{
	struct err e;

	err_set(&e, ERR_NOT_FOUND, "no image x");
	ck_assert_str_eq(e.hint, "");
	err_hint(&e, "holm pull %s", "x");
	err_hint(&e, "buy a computer");
	ck_assert_str_eq(e.hint, "holm pull x");
}
END_TEST

START_TEST(a_new_error_forgets_the_old_hint)
{
	struct err e;

	err_set(&e, ERR_NOT_FOUND, "one");
	err_hint(&e, "a hint");
	err_number(&e, ENOSPC, "two");
	ck_assert_str_eq(e.hint, "");
}
END_TEST

START_TEST(text_of_any_length_is_cut_and_closed)
{
	static char long_text[5000];
	struct err e;

	memset(long_text, 'x', sizeof(long_text) - 1);
	err_number(&e, EIO, "%s", long_text);
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
	err_add(&e, "task");
	ck_assert_int_eq(strncmp(e.text, "task: xxx", 9), 0);
	ck_assert_uint_lt(strlen(e.text), sizeof(e.text));
	err_add(&e, "%s", long_text);
	ck_assert_int_eq(strncmp(e.text, "task: xxx", 9), 0);
	err_hint(&e, "%s", long_text);
	ck_assert_uint_eq(strlen(e.hint), sizeof(e.hint) - 1);
}
END_TEST

static const struct {
	int number;
	enum err_kind kind;
	const char *name;
} from_errno[] = {
	{ ENOENT, ERR_NOT_FOUND, "not-found" },
	{ EEXIST, ERR_EXISTS, "exists" },
	{ EACCES, ERR_PERMISSION, "permission" },
	{ EROFS, ERR_PERMISSION, "permission" },
	{ ENOSPC, ERR_NO_SPACE, "no-space" },
	{ EDQUOT, ERR_NO_SPACE, "no-space" },
	{ ENOSYS, ERR_UNSUPPORTED, "unsupported" },
	{ ETIMEDOUT, ERR_TIMEOUT, "timeout" },
	{ EIO, ERR_SYSTEM, "system" },
};

START_TEST(errno_gives_the_kind)
{
	struct err e;

	ck_assert_int_eq(err_number(&e, from_errno[_i].number, "x"), -from_errno[_i].number);
	ck_assert_int_eq(e.kind, from_errno[_i].kind);
	ck_assert_str_eq(err_kind_name(e.kind), from_errno[_i].name);
	ck_assert_int_eq(err_exit_status(&e), 125);
}
END_TEST

START_TEST(a_command_that_cannot_run_has_the_shells_status)
{
	struct err e;

	err_set(&e, ERR_NOT_EXECUTABLE, "x");
	ck_assert_int_eq(err_exit_status(&e), 126);
	err_set(&e, ERR_COMMAND_NOT_FOUND, "x");
	ck_assert_int_eq(err_exit_status(&e), 127);
}
END_TEST

START_TEST(every_kind_has_a_name_and_a_status)
{
	for (int kind = 0; kind < ERR_KINDS; kind++) {
		struct err e;
		ck_assert_int_lt(err_set(&e, (enum err_kind)kind, "x"), 0);
		ck_assert_ptr_nonnull(err_kind_name((enum err_kind)kind));
		ck_assert_int_ge(err_exit_status(&e), 125);
	}
}
END_TEST

START_TEST(an_error_fits_into_one_write_to_a_pipe)
{
	ck_assert_uint_lt(sizeof(struct err), 4096); /* PIPE_BUF */
}
END_TEST

UNIT_MAIN("base/err", UNIT(a_sentence_grows_from_the_inside_out),
	  UNIT(the_hint_nearest_to_the_cause_wins), UNIT(a_new_error_forgets_the_old_hint),
	  UNIT(text_of_any_length_is_cut_and_closed),
	  UNIT_LOOP(errno_gives_the_kind, COUNT_OF(from_errno)),
	  UNIT(a_command_that_cannot_run_has_the_shells_status),
	  UNIT(every_kind_has_a_name_and_a_status), UNIT(an_error_fits_into_one_write_to_a_pipe))
