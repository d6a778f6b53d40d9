#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_live.h"
#include "runtime/cgroup_tree.h"

static void work_fork_and_pause(void)
{
	fork();
	fork();
	pause();
}

static void check_file(const struct runtime_cgroup *cgroup, const char *controller,
		       const char *v1_file, const char *v2_file, uint64_t expected)
{
	uint64_t value = 0;
	bool v2 = runtime_cgroup_is_v2(cgroup);
	own_fd int folder = runtime_cgroup_open_controller(cgroup, controller);

	ck_assert_int_ge(folder, 0);
	ck_assert_int_eq(runtime_cgroup_tree_read_u64(&value, folder, v2 ? v2_file : v1_file), 0);
	ck_assert_uint_eq(value, expected);
}

START_TEST(limits_arrive_in_the_kernel_and_change_alive)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup =
		cgroup_of("{\"memory\":{\"limit\":67108864},\"pids\":{\"limit\":20},"
			  "\"cpu\":{\"shares\":1024}}");
	struct err e;

	check_file(&cgroup, "memory", "memory.limit_in_bytes", "memory.max", 67108864);
	check_file(&cgroup, "pids", "pids.max", "pids.max", 20);
	check_file(&cgroup, "cpu", "cpu.shares", "cpu.weight",
		   runtime_cgroup_is_v2(&cgroup) ? 100 : 1024);

	struct oci_resources more =
		resources_of("{\"memory\":{\"limit\":33554432},\"pids\":{\"limit\":-1}}");
	ck_assert_msg(runtime_cgroup_update(&cgroup, &more, &e) == 0, "%s", e.text);
	shape_clear(&oci_resources_shape, &more);
	check_file(&cgroup, "memory", "memory.limit_in_bytes", "memory.max", 33554432);
	check_file(&cgroup, "pids", "pids.max", "pids.max", UINT64_MAX);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_child_enters_by_itself_and_is_listed_and_killed)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct err e;
	int status;

	pid_t pid = start_in(&cgroup, work_fork_and_pause);
	wait_for_count(&cgroup, 4);
	ck_assert_int_eq(runtime_cgroup_kill(&cgroup, &e), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(process_exit_code(status), 137);
	wait_for_count(&cgroup, 0);
	ck_assert_int_eq(runtime_cgroup_kill(&cgroup, &e), 0);
	ck_assert_uint_eq(runtime_cgroup_oom_kills(&cgroup), 0);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(who_knows_only_the_path_can_kill_and_remove)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct runtime_cgroup host = { 0 };
	struct err e;

	start_in(&cgroup, work_pause);
	wait_for_count(&cgroup, 1);
	ck_assert_int_eq(runtime_cgroup_host_read(&host, &e), 0);
	mem_replace(&host.path, name);
	/* the worst order: one that was not joined comes first */
	for (size_t i = 1; i < host.hierarchies.count; i++) {
		own_fd int folder = runtime_cgroup_open(&host, i, &e);
		if (folder < 0) {
			struct runtime_cgroup_hierarchy first = host.hierarchies.items[0];
			host.hierarchies.items[0] = host.hierarchies.items[i];
			host.hierarchies.items[i] = first;
			break;
		}
	}
	wait_for_count(&host, 1);
	remove_cgroup(&host);
	ck_assert_uint_eq(count_in(&cgroup), 0);
	runtime_cgroup_clear(&cgroup);
}
END_TEST

START_TEST(frozen_processes_stop_and_can_be_killed)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct err e;
	int status;

	pid_t pid = start_in(&cgroup, work_pause);
	wait_for_count(&cgroup, 1);
	ck_assert(!runtime_cgroup_is_frozen(&cgroup));
	ck_assert_msg(runtime_cgroup_freeze(&cgroup, true, &e) == 0, "%s", e.text);
	ck_assert(runtime_cgroup_is_frozen(&cgroup));
	ck_assert_msg(runtime_cgroup_freeze(&cgroup, false, &e) == 0, "%s", e.text);
	ck_assert(!runtime_cgroup_is_frozen(&cgroup));
	ck_assert_int_eq(runtime_cgroup_freeze(&cgroup, true, &e), 0);
	ck_assert_msg(runtime_cgroup_kill(&cgroup, &e) == 0, "%s", e.text);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(process_exit_code(status), 137);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(the_oom_killer_is_noticed)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{\"memory\":{\"limit\":16777216}}");
	int status;

	/* where there is swap it must not help */
	pid_t pid = start_in(&cgroup, work_eat_memory);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (process_exit_code(status) == 137)
		ck_assert_uint_ge(runtime_cgroup_oom_kills(&cgroup), 1);
	else
		fprintf(stderr, "skipped: the host swapped it out\n");
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_cgroup_with_processes_is_not_taken_over)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct runtime_cgroup other = { 0 };
	struct err e;

	start_in(&cgroup, work_pause);
	wait_for_count(&cgroup, 1);
	ck_assert_int_lt(runtime_cgroup_create_in_parent(&other, name, NULL, &e), 0);
	ck_assert_int_eq(e.kind, ERR_EXISTS);
	ck_assert_uint_eq(count_in(&cgroup), 1);
	remove_cgroup(&cgroup);
}
END_TEST

static bool exists(const struct runtime_cgroup *cgroup, const char *path)
{
	struct err e;
	own_fd int root = runtime_cgroup_tree_open_root(cgroup->hierarchies.items[0].mount,
							runtime_cgroup_is_v2(cgroup), &e);
	own_fd int folder = runtime_cgroup_tree_open_at(root, path);

	return folder >= 0;
}

START_TEST(folders_above_go_with_the_one_who_made_them)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup given = cgroup_of("{}");
	struct runtime_cgroup below = { 0 };
	own_free char *middle = mem_format("%s/a", name);
	own_free char *path = mem_format("%s/a/b", name);
	struct err e;

	ck_assert_int_eq(runtime_cgroup_create_in_parent(&below, path, NULL, &e), 0);
	ck_assert(exists(&below, path));
	ck_assert_int_eq(runtime_cgroup_remove(&below, &e), 0);
	ck_assert(!exists(&below, middle));
	ck_assert(exists(&below, name));
	runtime_cgroup_clear(&below);
	remove_cgroup(&given);
}
END_TEST

START_TEST(nobody_is_started_below_a_frozen_cgroup)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct runtime_cgroup below = { 0 };
	own_free char *path = mem_format("%s/below", name);
	struct err e;

	ck_assert_int_eq(runtime_cgroup_freeze(&cgroup, true, &e), 0);
	ck_assert_int_lt(runtime_cgroup_create_in_parent(&below, path, NULL, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	ck_assert_int_eq(runtime_cgroup_freeze(&cgroup, false, &e), 0);
	ck_assert_int_eq(runtime_cgroup_create_in_parent(&below, path, NULL, &e), 0);
	ck_assert_int_eq(runtime_cgroup_remove(&below, &e), 0);
	runtime_cgroup_clear(&below);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_failed_start_leaves_no_cgroup)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct oci_resources wrong = resources_of("{\"cpu\":{\"cpus\":\"0-99999\"}}");
	struct runtime_cgroup cgroup = { 0 };
	struct runtime_cgroup host = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_cgroup_create_in_parent(&cgroup, name, &wrong, &e), 0);
	shape_clear(&oci_resources_shape, &wrong);
	ck_assert_int_eq(runtime_cgroup_host_read(&host, &e), 0);
	mem_replace(&host.path, name);
	for (size_t i = 0; i < host.hierarchies.count; i++)
		ck_assert_int_eq(runtime_cgroup_open(&host, i, &e), -ENOENT);
	runtime_cgroup_clear(&host);
}
END_TEST

static void make_child_folder(const struct runtime_cgroup *cgroup, size_t index)
{
	struct err e;
	own_fd int folder = runtime_cgroup_open(cgroup, index, &e);

	ck_assert_int_ge(folder, 0);
	size_t made = 0;

	ck_assert_int_eq(runtime_cgroup_tree_make(folder, "/a/b", &made, &e), 1);
	ck_assert_uint_eq(made, 2);
}

START_TEST(what_the_container_made_below_is_removed_with_it)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");

	for (size_t i = 0; i < cgroup.hierarchies.count; i++)
		make_child_folder(&cgroup, i);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_hierarchy_is_joined_when_its_first_limit_comes)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct err e;
	size_t before = cgroup.hierarchies.count;

	start_in(&cgroup, work_fork_and_pause);
	wait_for_count(&cgroup, 4);
	struct oci_resources cpus = resources_of("{\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}}");
	int r = runtime_cgroup_update(&cgroup, &cpus, &e);
	shape_clear(&oci_resources_shape, &cpus);
	ck_assert_msg(r == 0, "%s", e.text);
	check_file(&cgroup, "cpuset", "cpuset.cpus", "cpuset.cpus", 0);
	if (!runtime_cgroup_is_v2(&cgroup)) {
		struct runtime_cgroup_pids pids = { 0 };
		own_fd int folder = runtime_cgroup_open_controller(&cgroup, "cpuset");
		ck_assert_uint_eq(cgroup.hierarchies.count, before + 1);
		ck_assert_int_eq(runtime_cgroup_tree_list(folder, &pids), 0);
		ck_assert_uint_eq(pids.count, 4);
		free(pids.items);
	}
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(the_state_survives_as_json)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	struct runtime_cgroup again = { 0 };
	struct err e;

	own_json struct json_object *object = shape_write(&runtime_cgroup_shape, &cgroup);
	ck_assert_int_eq(shape_read(&runtime_cgroup_shape, object, &again, &e), 0);
	ck_assert_str_eq(again.path, name);
	ck_assert_uint_eq(again.hierarchies.count, cgroup.hierarchies.count);
	remove_cgroup(&again);
	runtime_cgroup_clear(&cgroup);
}
END_TEST

static const char *const bad_paths[] = { "/",          "",     "/holm",        "../x",
					 "/a/../../b", "a\nb", "slice:holm:x", "/holm/" };

START_TEST(a_path_that_is_no_cgroup_is_refused)
{
	struct runtime_cgroup cgroup = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_cgroup_create_in_parent(&cgroup, bad_paths[_i], NULL, &e), 0);
	ck_assert(e.kind == ERR_INVALID || e.kind == ERR_UNSUPPORTED);
	ck_assert_ptr_null(cgroup.path);
}
END_TEST

UNIT_MAIN("runtime/cgroup", UNIT(limits_arrive_in_the_kernel_and_change_alive),
	  UNIT(a_child_enters_by_itself_and_is_listed_and_killed),
	  UNIT(who_knows_only_the_path_can_kill_and_remove),
	  UNIT(frozen_processes_stop_and_can_be_killed), UNIT(the_oom_killer_is_noticed),
	  UNIT(a_cgroup_with_processes_is_not_taken_over),
	  UNIT(folders_above_go_with_the_one_who_made_them),
	  UNIT(nobody_is_started_below_a_frozen_cgroup), UNIT(a_failed_start_leaves_no_cgroup),
	  UNIT(what_the_container_made_below_is_removed_with_it),
	  UNIT(a_hierarchy_is_joined_when_its_first_limit_comes), UNIT(the_state_survives_as_json),
	  UNIT_LOOP(a_path_that_is_no_cgroup_is_refused, 8))
