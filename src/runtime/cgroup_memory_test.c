/* On folders that look like a cgroup's; update_test.c has living ones. */
#include "runtime/cgroup_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"

static const struct {
	const char *file;
	bool v2;
	int64_t limit;
	bool check;
	bool refused;
	const char *reclaimed; /* what is asked for, or "" */
} cases[] = {
	{ "memory.current", true, 2000, false, false, "" },
	{ "memory.current", true, 1000, true, false, "" },
	{ "memory.current", true, 400, false, true, "600" },
	{ "memory.current", true, 400, true, true, "" },
	{ "memory.current", true, -1, true, false, "" },
	{ "memory.usage_in_bytes", false, 400, false, false, "" },
	{ "memory.usage_in_bytes", false, 400, true, true, "" },
};

START_TEST(a_limit_below_use_is_refused_after_freeing_what_can_be)
{
	char name[] = "/tmp/holm-memory-XXXXXX";
	int64_t limit = cases[_i].limit;
	bool check = cases[_i].check;
	struct oci_resources_memory memory = { .limit = &limit, .check_before_update = &check };
	struct oci_resources resources = { .memory = &memory };
	own_clear(str_clear) struct str reclaimed = { 0 };
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(name));
	own_fd int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(fd_write_file_at(folder, cases[_i].file, "1000\n", 5, 0644, &e), 0);
	ck_assert_int_eq(fd_write_file_at(folder, "memory.reclaim", "", 0, 0644, &e), 0);
	int r = runtime_cgroup_memory_check(folder, &resources, cases[_i].v2, &e);
	ck_assert_int_eq(r < 0, cases[_i].refused);
	if (r < 0)
		ck_assert_str_eq(e.text, "memory limit 400: the container uses 1000 bytes now");
	ck_assert_int_eq(fd_read_file_at(folder, "memory.reclaim", 64, &reclaimed, &e), 0);
	ck_assert_str_eq(reclaimed.text ? reclaimed.text : "", cases[_i].reclaimed);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, name, &e), 0);
}
END_TEST

UNIT_MAIN("runtime/cgroup_memory",
	  UNIT_LOOP(a_limit_below_use_is_refused_after_freeing_what_can_be, COUNT_OF(cases)))
