#include "runtime/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/unit.h"
#include "runtime/landlock_policy.h"

static const char writes_in_a[] =
	"{\"ruleset\":{\"handledAccessFS\":[\"write_file\",\"make_reg\"]},\"rules\":{"
	"\"pathBeneath\":[{\"allowedAccess\":[\"write_file\",\"make_reg\"],"
	"\"paths\":[\"/a\",\"/file\",\"/link\"]}]}}";

/* Each test is a process of its own, so it may restrict itself. */
static int restrict_to(const char *text, int root, struct err *e)
{
	own_clear(runtime_landlock_policy_clear) struct runtime_landlock_policy policy = { 0 };
	own_fd int ruleset = -1;

	int r = runtime_landlock_policy_read(&policy, text, runtime_landlock_abi(), e);
	if (r == 0)
		r = runtime_landlock_open_in_child(&ruleset, &policy, root, e);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, "set no_new_privs");
	return r < 0 ? r : runtime_landlock_restrict_in_child(&policy, ruleset, e);
}

static int try_write(int root, const char *path)
{
	own_fd int fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : 0;
}

static int make_root(char folder[])
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdirat(root, "a", 0700), 0);
	ck_assert_int_eq(mkdirat(root, "b", 0700), 0);
	ck_assert_int_eq(try_write(root, "file"), 0);
	ck_assert_int_eq(try_write(root, "other"), 0);
	ck_assert_int_eq(symlinkat("/b/../a", root, "link"), 0);
	return root;
}

START_TEST(writes_outside_the_paths_are_refused)
{
	char folder[] = "/tmp/holm-landlock-XXXXXX";
	struct err e;

	if (runtime_landlock_abi() == 0)
		unit_skip("this kernel has no Landlock, or it is off");
	own_fd int root = make_root(folder);
	int r = restrict_to(writes_in_a, root, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	int in_a = try_write(root, "a/new"), in_b = try_write(root, "b/new");
	int file = try_write(root, "file"), other = try_write(root, "other");
	fd_remove_tree_at(AT_FDCWD, folder, &e);
	ck_assert_int_eq(in_a, 0);
	ck_assert_int_eq(in_b, -EACCES);
	ck_assert_int_eq(file, 0);
	ck_assert_int_eq(other, -EACCES);
}
END_TEST

START_TEST(a_path_that_is_not_there_is_named)
{
	own_fd int root = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e;

	if (runtime_landlock_abi() == 0)
		unit_skip("this kernel has no Landlock, or it is off");
	ck_assert_int_eq(restrict_to(writes_in_a, root, &e), -ENOENT);
	ck_assert_msg(!strncmp(e.text, "org.holm.landlock: ", 19) && strstr(e.text, "/a"), "%s",
		      e.text);
}
END_TEST

UNIT_MAIN("runtime/landlock", UNIT(writes_outside_the_paths_are_refused),
	  UNIT(a_path_that_is_not_there_is_named))
