#include "runtime/oom.h"

#include <poll.h>

#include "runtime/cgroup_live.h"

static bool readable(const struct runtime_oom *oom)
{
	struct pollfd wait = { .fd = oom->fd, .events = POLLIN };

	return poll(&wait, 1, 5000) == 1;
}

/* v2 tells of other changes, too, and the count may come after the event, or at once with the end:
 * the cgroup is empty then. */
static uint64_t next(struct runtime_oom *oom, bool *ended)
{
	uint64_t count = 0;

	while (count == 0 && !*ended && readable(oom))
		*ended = runtime_oom_read(oom, &count) == -ENODEV;
	return count;
}

START_TEST(the_oom_killer_and_the_end_of_the_cgroup_are_told)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{\"memory\":{\"limit\":16777216}}");
	struct runtime_oom oom = RUNTIME_OOM_INIT;
	struct err e;
	uint64_t count = 1;
	bool ended = false;
	int status;

	ck_assert_msg(runtime_oom_open(&oom, &cgroup, &e) == 0, "%s", e.text);
	pid_t pid = start_in(&cgroup, work_eat_memory);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (process_exit_code(status) == 137)
		ck_assert_uint_ge(next(&oom, &ended), 1);
	else
		printf("unit-skip: %s: the host swapped it out\n", __func__);
	remove_cgroup(&cgroup);
	if (!ended) {
		ck_assert(readable(&oom));
		ck_assert_int_eq(runtime_oom_read(&oom, &count), -ENODEV);
		ck_assert_uint_eq(count, 0);
	}
	runtime_oom_close(&oom);
}
END_TEST

UNIT_MAIN("runtime/oom", UNIT(the_oom_killer_and_the_end_of_the_cgroup_are_told))
