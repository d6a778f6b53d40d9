#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/unit.h"
#include "runtime/capability.h"
#include "runtime/rlimit.h"

START_TEST(a_limit_is_known_in_either_spelling)
{
	int resource = -1;
	struct err e;

	ck_assert_int_eq(runtime_rlimit_parse(&resource, "RLIMIT_NOFILE", &e), 0);
	ck_assert_int_eq(resource, RLIMIT_NOFILE);
	ck_assert_int_eq(runtime_rlimit_parse(&resource, "nproc", &e), 0);
	ck_assert_int_eq(resource, RLIMIT_NPROC);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		ck_assert_int_eq(runtime_rlimit_parse(&resource, runtime_rlimit_name(i), &e), 0);
		ck_assert_int_eq(resource, i);
	}
	ck_assert_ptr_null(runtime_rlimit_name(RLIM_NLIMITS));
}
END_TEST

static const char *const refused[] = { "", "RLIMIT_", "nofiles", "RLIMIT_RLIMIT_NOFILE", "7" };

START_TEST(an_unknown_limit_is_refused)
{
	int resource = 77;
	struct err e;

	ck_assert_int_eq(runtime_rlimit_parse(&resource, refused[_i], &e), -EINVAL);
	ck_assert_int_eq(resource, 77);
}
END_TEST

/* Without CAP_SYS_RESOURCE, whether or not the test has it. */
static int apply_without_right(void)
{
	struct runtime_capability_sets none = { 0 };
	struct rlimit own = { .rlim_cur = 100, .rlim_max = 100 };
	uint64_t soft = 1000, hard = 2000;
	struct err e;

	if (setrlimit(RLIMIT_NOFILE, &own) < 0 || runtime_capability_apply_in_child(&none, &e) < 0)
		return 1;
	if (runtime_rlimit_apply_in_child("nofile", soft, hard, &e) != -EPERM || !e.hint[0])
		return 2;
	if (!runtime_rlimit_clamp(RLIMIT_NOFILE, &soft, &hard) || soft != 100 || hard != 100)
		return 3;
	if (runtime_rlimit_apply_in_child("RLIMIT_NOFILE", soft, hard, &e) < 0)
		return 4;
	soft = hard = 50;
	if (runtime_rlimit_clamp(RLIMIT_NOFILE, &soft, &hard) || hard != 50)
		return 5;
	if (runtime_rlimit_apply_in_child("RLIMIT_NOFILE", 40, 50, &e) < 0)
		return 6;
	if (getrlimit(RLIMIT_NOFILE, &own) < 0 || own.rlim_cur != 40 || own.rlim_max != 50)
		return 7;
	if (runtime_rlimit_apply_in_child("nofile", 51, 50, &e) != -EINVAL)
		return 8;
	return 0;
}

START_TEST(defaults_are_clamped_and_wishes_fail_without_the_right)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(apply_without_right());
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 0);
}
END_TEST

UNIT_MAIN("runtime/rlimit", UNIT(a_limit_is_known_in_either_spelling),
	  UNIT_LOOP(an_unknown_limit_is_refused, COUNT_OF(refused)),
	  UNIT(defaults_are_clamped_and_wishes_fail_without_the_right))
