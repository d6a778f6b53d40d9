#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/strv.h"
#include "runtime/cgroup_guest.h"
#include "runtime/cgroup_live.h"
#include "runtime/cgroup_membership.h"
#include "runtime/clone.h"

static bool make_below(const struct runtime_cgroup *cgroup, const char *below)
{
	struct err e;

	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		own_fd int folder = runtime_cgroup_open(cgroup, i, &e);
		if (folder < 0 || mkdirat(folder, below, 0755) < 0)
			return false;
	}
	return true;
}

static size_t count_below(const struct runtime_cgroup *cgroup, const char *controller,
			  const char *below)
{
	struct runtime_cgroup_pids pids = { 0 };
	own_fd int folder = runtime_cgroup_open_controller(cgroup, controller);
	own_fd int child = runtime_cgroup_tree_open_at(folder, below);

	ck_assert_int_ge(child, 0);
	ck_assert_int_eq(runtime_cgroup_tree_list(child, &pids), 0);
	free(pids.items);
	return pids.count;
}

static void enter(const struct runtime_cgroup *cgroup, const struct strv *choices)
{
	struct runtime_cgroup_entry entry;
	struct err e;

	ck_assert_msg(runtime_cgroup_entry_open(&entry, cgroup, choices, &e) == 0, "%s", e.text);
	pid_t pid = fork();
	if (pid == 0) {
		if (runtime_cgroup_enter_self_in_child(&entry, false, &e) < 0)
			_exit(99);
		pause();
	}
	runtime_cgroup_entry_close(&entry);
	wait_for_count(cgroup, 1);
}

START_TEST(a_process_enters_a_cgroup_below_the_containers)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	own_clear(strv_clear) struct strv choices = { 0 };

	ck_assert(make_below(&cgroup, "sub"));
	strv_add(&choices, "sub");
	enter(&cgroup, &choices);
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(5000);
	unsigned round = 0;
	while (count_below(&cgroup, "memory", "sub") != 1 ||
	       count_below(&cgroup, "pids", "sub") != 1)
		ck_assert(runtime_cgroup_tree_wait(&round, deadline_ms));
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_controller_has_a_path_of_its_own_on_v1)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	own_clear(strv_clear) struct strv choices = { 0 };
	struct runtime_cgroup_entry entry;
	struct err e;

	ck_assert(make_below(&cgroup, "sub"));
	strv_add(&choices, "pids:sub");
	if (runtime_cgroup_is_v2(&cgroup)) {
		ck_assert_int_lt(runtime_cgroup_entry_open(&entry, &cgroup, &choices, &e), 0);
		ck_assert_int_eq(e.kind, ERR_INVALID);
	} else {
		enter(&cgroup, &choices);
		int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(5000);
		unsigned round = 0;
		while (count_below(&cgroup, "pids", "sub") != 1)
			ck_assert(runtime_cgroup_tree_wait(&round, deadline_ms));
		ck_assert_uint_eq(count_below(&cgroup, "memory", "sub"), 0);
	}
	remove_cgroup(&cgroup);
}
END_TEST

static const struct {
	const char *choice;
	enum err_kind kind;
} bad[] = {
	{ "../x", ERR_INVALID },  { "sub/../..", ERR_INVALID }, { "pids:../x", ERR_INVALID },
	{ ":sub", ERR_INVALID },  { "", ERR_INVALID },          { "not/there", ERR_NOT_FOUND },
	{ "pids:", ERR_INVALID },
};

START_TEST(a_path_that_leads_up_or_nowhere_is_refused)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	own_clear(strv_clear) struct strv choices = { 0 };
	struct runtime_cgroup_entry entry;
	struct err e;

	strv_add(&choices, bad[_i].choice);
	ck_assert_int_lt(runtime_cgroup_entry_open(&entry, &cgroup, &choices, &e), 0);
	ck_assert_msg(e.kind == bad[_i].kind, "%s: %s", bad[_i].choice, e.text);
	remove_cgroup(&cgroup);
}
END_TEST

/* As the first process of a system on a host of v1 that has a tree of v2, too. */
START_TEST(a_process_is_born_in_the_tree_of_v2_and_goes_into_the_others)
{
	set_name();
	if (!can_make_cgroups())
		return;
	struct runtime_cgroup cgroup = cgroup_of("{}");
	own_clear(shape_map_clear) struct shape_map annotations = { 0 };
	own_free char *path = NULL;
	struct runtime_cgroup_entry entry;
	struct err e;

	shape_map_set(&annotations, "org.holm.cgroup.guest", "0:0");
	ck_assert_msg(runtime_cgroup_guest_add_in_parent(&cgroup, &annotations, &e) == 0, "%s",
		      e.text);
	if (!runtime_cgroup_guest_tree(&cgroup) || runtime_cgroup_is_v2(&cgroup)) {
		remove_cgroup(&cgroup);
		unit_skip("this host has not both kinds of cgroups");
	}
	ck_assert_int_eq(runtime_cgroup_entry_open(&entry, &cgroup, NULL, &e), 0);
	ck_assert_int_ge(entry.folder, 0);
	pid_t pid = runtime_clone(0, entry.folder, NULL);
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (runtime_cgroup_enter_self_in_child(&entry, true, &e) < 0)
			_exit(99);
		pause();
	}
	runtime_cgroup_entry_close(&entry);
	int64_t deadline_ms = runtime_cgroup_tree_deadline_ms(5000);
	unsigned round = 0;
	while (count_below(&cgroup, "memory", ".") != 1 || count_below(&cgroup, "pids", ".") != 1)
		ck_assert(runtime_cgroup_tree_wait(&round, deadline_ms));
	ck_assert_int_eq(
		runtime_cgroup_membership_read(&path, pid, RUNTIME_CGROUP_MEMBERSHIP_V2, &e), 0);
	ck_assert_msg(str_ends(path, name), "%s", path);
	remove_cgroup(&cgroup);
}
END_TEST

UNIT_MAIN("runtime/cgroup_entry", UNIT(a_process_enters_a_cgroup_below_the_containers),
	  UNIT(a_process_is_born_in_the_tree_of_v2_and_goes_into_the_others),
	  UNIT(a_controller_has_a_path_of_its_own_on_v1),
	  UNIT_LOOP(a_path_that_leads_up_or_nowhere_is_refused, COUNT_OF(bad)))
