#include "runtime/pause.h"

#include "runtime/cgroup_live.h"

START_TEST(a_container_is_paused_once_and_resumed_once)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	pid_t pid = start_in(&cgroup, work_pause);
	struct runtime_container container = container_of(&cgroup, pid);
	struct err e;

	ck_assert_int_lt(runtime_resume(&container, &e), 0);
	ck_assert_str_eq(e.text, "container not paused");
	ck_assert_msg(runtime_pause(&container, &e) == 0, "%s", e.text);
	ck_assert(runtime_cgroup_is_frozen(&container.cgroup));
	ck_assert_int_lt(runtime_pause(&container, &e), 0);
	ck_assert_str_eq(e.text, "container is paused");
	ck_assert_msg(runtime_resume(&container, &e) == 0, "%s", e.text);
	ck_assert(!runtime_cgroup_is_frozen(&container.cgroup));
	remove_cgroup(&container.cgroup);
	ck_assert_int_lt(runtime_pause(&container, &e), 0);
	ck_assert_str_eq(e.text, "container not running");
	runtime_container_clear(&container);
}
END_TEST

START_TEST(what_is_frozen_above_is_not_waited_for)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup above = cgroup_of("{}");
	struct runtime_cgroup below = { 0 };
	own_free char *path = mem_format("%s/below", name);
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(5000);
	struct err e;

	ck_assert_int_eq(runtime_cgroup_create_in_parent(&below, path, NULL, &e), 0);
	pid_t pid = start_in(&below, work_pause);
	struct runtime_container container = container_of(&below, pid);
	ck_assert_msg(runtime_cgroup_freeze(&above, true, &e) == 0, "%s", e.text);
	ck_assert_int_lt(runtime_resume(&container, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	/* v2 tells what a cgroup was asked for, v1 what it is */
	ck_assert_ptr_nonnull(strstr(e.text, runtime_cgroup_is_v2(&below)
						     ? "container not paused"
						     : "is frozen, or one above it"));
	/* freezing waits for 10 s; this must not */
	ck_assert_int_lt(runtime_cgroup_tree_deadline_ms(0), deadline_ms);
	ck_assert_int_eq(runtime_cgroup_freeze(&above, false, &e), 0);
	remove_cgroup(&container.cgroup);
	runtime_container_clear(&container);
	remove_cgroup(&above);
}
END_TEST

UNIT_MAIN("runtime/pause", UNIT(a_container_is_paused_once_and_resumed_once),
	  UNIT(what_is_frozen_above_is_not_waited_for))
