#include "runtime/update.h"

#include "runtime/cgroup_live.h"

static uint64_t value_of(const struct runtime_cgroup *cgroup, const char *controller,
			 const char *v1_file, const char *v2_file)
{
	own_fd int folder = runtime_cgroup_open_controller(cgroup, controller);

	ck_assert_int_ge(folder, 0);
	return runtime_cgroup_tree_count(folder, runtime_cgroup_is_v2(cgroup) ? v2_file : v1_file);
}

static uint64_t pids_limit(const struct runtime_container *container)
{
	return value_of(&container->cgroup, "pids", "pids.max", "pids.max");
}

static uint64_t memory_limit(const struct runtime_container *container)
{
	return value_of(&container->cgroup, "memory", "memory.limit_in_bytes", "memory.max");
}

static void work_hold_memory(void)
{
	work_eat_memory();
	pause();
}

START_TEST(a_refused_part_takes_the_others_back)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup =
		cgroup_of("{\"memory\":{\"limit\":67108864},\"pids\":{\"limit\":20}}");
	struct runtime_container container = container_of(&cgroup, start_in(&cgroup, work_pause));
	struct err e;

	ck_assert_int_lt(update(&container,
				"{\"memory\":{\"limit\":33554432},\"pids\":{\"limit\":30},"
				"\"cpu\":{\"cpus\":\"0-99999\"}}",
				&e),
			 0);
	ck_assert_ptr_nonnull(strstr(e.text, "cpuset.cpus"));
	ck_assert_uint_eq(memory_limit(&container), 67108864);
	ck_assert_uint_eq(pids_limit(&container), 20);
	ck_assert_msg(update(&container, "{\"pids\":{\"limit\":30}}", &e) == 0, "%s", e.text);
	ck_assert_uint_eq(pids_limit(&container), 30);
	remove_cgroup(&container.cgroup);
	runtime_container_clear(&container);
}
END_TEST

START_TEST(limits_that_bound_each_other_go_up_and_down)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup =
		cgroup_of("{\"memory\":{\"limit\":16777216,\"swap\":16777216}}");
	struct runtime_container container = container_of(&cgroup, start_in(&cgroup, work_pause));
	static const char *const steps[] = {
		"{\"memory\":{\"limit\":67108864,\"swap\":67108864}}",
		"{\"memory\":{\"limit\":-1}}",
		"{\"memory\":{\"limit\":33554432,\"swap\":33554432}}",
		"{\"cpu\":{\"quota\":20000,\"period\":100000,\"burst\":20000}}",
		"{\"cpu\":{\"quota\":5000,\"period\":10000,\"burst\":1000}}",
		"{\"cpu\":{\"period\":20000}}",
	};
	struct err e;

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		ck_assert_msg(update(&container, steps[i], &e) == 0, "%s: %s", steps[i], e.text);
	ck_assert_uint_eq(memory_limit(&container), 33554432);
	/* of v2's "5000 20000" that is the first number */
	ck_assert_uint_eq(value_of(&container.cgroup, "cpu", "cpu.cfs_quota_us", "cpu.max"), 5000);
	remove_cgroup(&container.cgroup);
	runtime_container_clear(&container);
}
END_TEST

static const char *const below_use[] = {
	"{\"memory\":{\"limit\":16777216}}",
	"{\"memory\":{\"limit\":16777216,\"checkBeforeUpdate\":true}}",
};

START_TEST(a_memory_limit_below_use_is_refused)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct runtime_container container =
		container_of(&cgroup, start_in(&cgroup, work_hold_memory));
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(20000);
	unsigned round = 0;
	struct err e;

	while (value_of(&container.cgroup, "memory", "memory.usage_in_bytes", "memory.current") <
	       64 << 20)
		ck_assert(runtime_cgroup_tree_wait(&round, deadline_ms));
	uint64_t before = memory_limit(&container);
	int r = update(&container, below_use[_i], &e);
	if (_i == 1 || r < 0) {
		ck_assert_int_lt(r, 0);
		ck_assert_msg(strstr(e.text, "memory") || strstr(e.hint, "uses more"), "%s",
			      e.text);
		ck_assert_uint_eq(memory_limit(&container), before);
	} else {
		printf("unit-skip: %s: the host swapped it out\n", __func__);
	}
	remove_cgroup(&container.cgroup);
	runtime_container_clear(&container);
}
END_TEST

UNIT_MAIN("runtime/update", UNIT(a_refused_part_takes_the_others_back),
	  UNIT(limits_that_bound_each_other_go_up_and_down),
	  UNIT_LOOP(a_memory_limit_below_use_is_refused, COUNT_OF(below_use)))
