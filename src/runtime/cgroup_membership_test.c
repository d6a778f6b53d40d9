#include "runtime/cgroup_membership.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

START_TEST(every_line_of_the_callers_own_is_found_by_its_controllers)
{
	own_clear(str_clear) struct str text = { 0 };
	char *rest = NULL;
	struct err e;

	if (fd_read_file_at(-100, "/proc/self/cgroup", 65536, &text, &e) < 0 || !text.length)
		unit_skip("no cgroups here");
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *controllers = strchr(line, ':') + 1;
		char *path = strchr(controllers, ':');
		own_free char *mine = NULL, *of_pid = NULL;
		*path++ = '\0';
		ck_assert_int_eq(runtime_cgroup_membership_read(&mine, 0, controllers, &e), 0);
		ck_assert_str_eq(mine, path);
		ck_assert_int_eq(runtime_cgroup_membership_read(&of_pid, getpid(), controllers, &e),
				 0);
		ck_assert_str_eq(of_pid, path);
	}
}
END_TEST

START_TEST(what_is_not_there_is_named)
{
	char *path = NULL;
	struct err e;

	ck_assert_int_lt(runtime_cgroup_membership_read(&path, 0, "name=nobody", &e), 0);
	ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(e.text, "name=nobody"));
	ck_assert_int_lt(runtime_cgroup_membership_read(&path, 0, "name", &e), 0);
	ck_assert_ptr_null(path);
}
END_TEST

UNIT_MAIN("runtime/cgroup_membership",
	  UNIT(every_line_of_the_callers_own_is_found_by_its_controllers),
	  UNIT(what_is_not_there_is_named))
