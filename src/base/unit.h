/* unit.h - the frame of a unit test program over Check: each test in its own process, names are
 * sentences. At the end of x_test.c:
 *	UNIT_MAIN("base/shape", UNIT(depth_is_bounded), UNIT_LOOP(bad_input_is_refused, n)) */
#pragma once
#include <check.h>
#include <stddef.h>
#include <stdio.h>

struct unit_test {
	const TTest *test;
	int count; /* of a loop test, whose rounds see their number in _i; else 0 */
};

#define UNIT(name)                                                                                 \
	{                                                                                          \
		name, 0                                                                            \
	}
#define UNIT_LOOP(name, rows)                                                                      \
	{                                                                                          \
		name, (int)(rows)                                                                  \
	}

/* Ends a test that this machine cannot run; `make test` lists it with the reason. */
#define unit_skip(reason)                                                                          \
	do {                                                                                       \
		printf("unit-skip: %s: %s\n", __func__, reason);                                   \
		fflush(stdout);                                                                    \
		return;                                                                            \
	} while (0)

static inline int unit_run(const char *name, const struct unit_test *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < count; i++) {
		int rows = tests[i].count;
		_tcase_add_test(tcase, tests[i].test, 0, 0, 0, rows ? rows : 1);
	}
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#define UNIT_MAIN(name, ...)                                                                       \
	int main(void)                                                                             \
	{                                                                                          \
		const struct unit_test tests[] = { __VA_ARGS__ };                                  \
		return unit_run(name, tests, sizeof(tests) / sizeof(tests[0]));                    \
	}
