/* cgroup v2 on whatever v2 tree there is: the host's one, or on a hybrid host the tree beside the
 * v1 hierarchies, which has at least freezing, killing, device filters and birth into a cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_delegate.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"

static const char *find_v2(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < COUNT_OF(mounts); i++) {
		if (statfs(mounts[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	}
	return NULL;
}

/* False, with the reason, where the host has none. */
static bool make_cgroup(struct runtime_cgroup *cgroup, const char *limits)
{
	struct runtime_cgroup host = { .layout = mem_text("v2") };
	struct oci_resources resources = { 0 };
	own_json struct json_object *object = NULL;
	struct err e;

	if (!find_v2() || geteuid() != 0) {
		fprintf(stderr, "skipped: no cgroup v2 tree here, or not root\n");
		return false;
	}
	ck_assert_int_eq(json_parse(&object, limits, strlen(limits), "resources", &e), 0);
	ck_assert_int_eq(shape_read(&oci_resources_shape, object, &resources, &e), 0);
	struct runtime_cgroup_hierarchy *only = shape_list_add(&host.hierarchies);
	only->controllers = mem_text("");
	only->mount = mem_text(find_v2());
	*cgroup = (struct runtime_cgroup){ .layout = mem_text("v2") };
	cgroup->path = mem_format("/holm-test-%d/leaf", getpid());
	int r = runtime_cgroup_v2_create(cgroup, &host, &resources, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	shape_clear(&oci_resources_shape, &resources);
	runtime_cgroup_clear(&host);
	return true;
}

static void remove_cgroup(struct runtime_cgroup *cgroup)
{
	struct err e;

	ck_assert_msg(runtime_cgroup_kill(cgroup, &e) == 0, "%s", e.text);
	while (waitpid(-1, NULL, 0) > 0)
		;
	ck_assert_msg(runtime_cgroup_remove(cgroup, &e) == 0, "%s", e.text);
	own_fd int root = runtime_cgroup_tree_open_root(find_v2(), true, &e);
	*strrchr(cgroup->path, '/') = '\0';
	ck_assert_int_eq(runtime_cgroup_tree_open_at(root, cgroup->path), -ENOENT);
	runtime_cgroup_clear(cgroup);
}

/* As the runtime does it: born in the cgroup. */
static pid_t start_in(const struct runtime_cgroup *cgroup, void (*work)(void))
{
	struct runtime_cgroup_entry entry;
	struct err e;

	ck_assert_msg(runtime_cgroup_entry_open(&entry, cgroup, NULL, &e) == 0, "%s", e.text);
	ck_assert_int_ge(entry.folder, 0);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (unsigned)entry.folder,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	runtime_cgroup_entry_close(&entry);
	return pid;
}

static size_t count_in(const struct runtime_cgroup *cgroup)
{
	own_free pid_t *pids = NULL;
	size_t count = 0;
	struct err e;

	ck_assert_int_eq(runtime_cgroup_list(&pids, &count, cgroup, &e), 0);
	return count;
}

static void work_pause(void)
{
	pause();
}

static void work_fork_and_pause(void)
{
	fork();
	fork();
	pause();
}

START_TEST(a_child_is_born_in_the_cgroup_and_killed_with_it)
{
	struct runtime_cgroup cgroup;
	int64_t deadline = runtime_cgroup_tree_deadline_ms(5000);
	unsigned round = 0;
	struct err e;
	int status;

	if (!make_cgroup(&cgroup, "{}"))
		return;
	pid_t pid = start_in(&cgroup, work_fork_and_pause);
	while (count_in(&cgroup) != 4)
		ck_assert(runtime_cgroup_tree_wait(&round, deadline));
	ck_assert_int_eq(runtime_cgroup_v2_kill(&cgroup), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(process_exit_code(status), 137);
	ck_assert_int_eq(runtime_cgroup_kill(&cgroup, &e), 0);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_cgroup_freezes_thaws_and_dies_frozen)
{
	struct runtime_cgroup cgroup;
	struct err e;

	if (!make_cgroup(&cgroup, "{}"))
		return;
	start_in(&cgroup, work_pause);
	ck_assert(!runtime_cgroup_is_frozen(&cgroup));
	ck_assert_msg(runtime_cgroup_freeze(&cgroup, true, &e) == 0, "%s", e.text);
	ck_assert(runtime_cgroup_is_frozen(&cgroup));
	ck_assert_msg(runtime_cgroup_freeze(&cgroup, false, &e) == 0, "%s", e.text);
	ck_assert(!runtime_cgroup_is_frozen(&cgroup));
	ck_assert_int_eq(runtime_cgroup_freeze(&cgroup, true, &e), 0);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(one_who_enters_by_writing_is_in_it_too)
{
	struct runtime_cgroup cgroup;
	struct runtime_cgroup_entry entry;
	struct err e;

	if (!make_cgroup(&cgroup, "{}"))
		return;
	ck_assert_int_eq(runtime_cgroup_entry_open(&entry, &cgroup, NULL, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (runtime_cgroup_enter_self_in_child(&entry, false, &e) < 0)
			_exit(9);
		_exit(count_in(&cgroup) == 1 ? 0 : 8);
	}
	runtime_cgroup_entry_close(&entry);
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 0);
	remove_cgroup(&cgroup);
}
END_TEST

/* Nodes of our own in a folder of our own, so that what /dev holds does not matter. */
static int try_device(const char *folder, unsigned major_number, unsigned minor_number, int flags)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/node", folder);
	unlink(path);
	if (mknod(path, S_IFCHR | 0600, makedev(major_number, minor_number)) < 0)
		return -errno;
	int fd = open(path, flags | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	unlink(path);
	return r;
}

static void work_try_devices(void)
{
	char folder[] = "/tmp/holm-test-XXXXXX";

	if (!mkdtemp(folder))
		_exit(50);
	int null = try_device(folder, 1, 3, O_RDWR);
	int kmsg_read = try_device(folder, 1, 11, O_RDONLY);
	int kmsg_write = try_device(folder, 1, 11, O_WRONLY);
	int mem = try_device(folder, 1, 1, O_RDONLY);
	rmdir(folder);
	_exit(null != 0              ? 1
	      : kmsg_read != 0       ? 2
	      : kmsg_write != -EPERM ? 3
	      : mem != -EPERM        ? 4
				     : 0);
}

START_TEST(the_device_filter_lets_through_what_the_rules_say)
{
	struct runtime_cgroup cgroup;

	if (!make_cgroup(&cgroup, "{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\","
				  "\"major\":1,\"minor\":11,\"access\":\"r\"}]}"))
		return;
	pid_t pid = start_in(&cgroup, work_try_devices);
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 0);
	remove_cgroup(&cgroup);
}
END_TEST

static void work_try_memory(void)
{
	char folder[] = "/tmp/holm-test-XXXXXX";

	if (!mkdtemp(folder))
		_exit(50);
	int mem = try_device(folder, 1, 1, O_RDONLY);
	rmdir(folder);
	_exit(mem == -EPERM ? 1 : 0);
}

START_TEST(a_new_device_filter_replaces_the_old)
{
	struct runtime_cgroup cgroup;
	struct oci_resources all = { 0 };
	struct err e;

	if (!make_cgroup(&cgroup, "{\"devices\":[{\"allow\":false}]}"))
		return;
	shape_list_add(&all.devices)->allow = true;
	ck_assert_int_eq(process_exit_code(process_wait(start_in(&cgroup, work_try_memory))), 1);
	ck_assert_msg(runtime_cgroup_update(&cgroup, &all, &e) == 0, "%s", e.text);
	ck_assert_int_eq(process_exit_code(process_wait(start_in(&cgroup, work_try_memory))), 0);
	shape_clear(&oci_resources_shape, &all);
	remove_cgroup(&cgroup);
}
END_TEST

START_TEST(a_limit_without_its_controller_is_named)
{
	struct runtime_cgroup cgroup = { .layout = mem_text("v2") };
	struct runtime_cgroup host = { .layout = mem_text("v2") };
	struct oci_resources resources = { 0 };
	struct err e;

	if (!find_v2() || geteuid() != 0)
		return;
	shape_map_set(&resources.unified, "misc.max", "none 1");
	struct runtime_cgroup_hierarchy *only = shape_list_add(&host.hierarchies);
	only->controllers = mem_text("");
	only->mount = mem_text(find_v2());
	cgroup.path = mem_format("/holm-test-%d", getpid());
	int r = runtime_cgroup_v2_create(&cgroup, &host, &resources, &e);
	/* where there is one, the value is wrong; either way nothing stays */
	ck_assert_int_lt(r, 0);
	ck_assert_msg(strstr(e.text, "misc") != NULL, "%s", e.text);
	ck_assert_int_eq(runtime_cgroup_remove(&cgroup, &e), 0);
	shape_clear(&oci_resources_shape, &resources);
	runtime_cgroup_clear(&cgroup);
	runtime_cgroup_clear(&host);
}
END_TEST

static uid_t owner_of(int folder, const char *file)
{
	struct stat st;

	ck_assert_int_eq(fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_uid;
}

START_TEST(a_cgroup_is_given_away_but_for_its_limits)
{
	struct runtime_cgroup cgroup;
	own_clear(shape_map_clear) struct shape_map annotations = { 0 };
	struct err e;

	if (!make_cgroup(&cgroup, "{}"))
		return;
	shape_map_set(&annotations, "run.oci.delegate-cgroup", "/payload");
	ck_assert_msg(runtime_cgroup_delegate_leaf(&cgroup, &annotations, &e) == 0, "%s", e.text);
	ck_assert_str_eq(cgroup.leaf, "payload");
	ck_assert_msg(runtime_cgroup_delegate_to(&cgroup, 1000, 1001, &e) == 0, "%s", e.text);
	own_fd int folder = runtime_cgroup_open(&cgroup, 0, &e);
	own_fd int leaf = runtime_cgroup_tree_open_at(folder, "payload");
	ck_assert_uint_eq(owner_of(leaf, "."), 1000);
	ck_assert_uint_eq(owner_of(leaf, "cgroup.procs"), 1000);
	ck_assert_uint_eq(owner_of(leaf, "cgroup.subtree_control"), 1000);
	ck_assert_uint_eq(owner_of(leaf, "cgroup.freeze"), 0);
	ck_assert_uint_eq(owner_of(folder, "cgroup.procs"), 0);
	start_in(&cgroup, work_pause);
	struct runtime_cgroup_pids pids = { 0 };
	ck_assert_int_eq(runtime_cgroup_tree_list(leaf, &pids), 0);
	ck_assert_uint_eq(pids.count, 1);
	free(pids.items);
	remove_cgroup(&cgroup);
}
END_TEST

UNIT_MAIN("runtime/cgroup_v2", UNIT(a_cgroup_is_given_away_but_for_its_limits),
	  UNIT(a_child_is_born_in_the_cgroup_and_killed_with_it),
	  UNIT(a_cgroup_freezes_thaws_and_dies_frozen),
	  UNIT(one_who_enters_by_writing_is_in_it_too),
	  UNIT(the_device_filter_lets_through_what_the_rules_say),
	  UNIT(a_new_device_filter_replaces_the_old), UNIT(a_limit_without_its_controller_is_named))
