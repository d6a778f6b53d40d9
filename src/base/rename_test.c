#include "base/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/unit.h"

/* Where a filesystem takes no flags: tests/user_storage.bats. */

static char folder[] = "/tmp/holm-rename-test.XXXXXX";
static int dir;

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(dir, "there", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "new", 0755), 0);
	ck_assert_int_eq(close(openat(dir, "new/inside", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	ck_assert_int_eq(close(openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
}

static void remove_folder(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(dir);
	ck_assert_int_eq(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e), 0);
}

static bool exists(const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(what_is_there_is_not_replaced)
{
	make_folder();
	ck_assert_int_eq(rename_new_at(dir, "new", dir, "there"), -EEXIST);
	ck_assert_int_eq(rename_new_at(dir, "file", dir, "there"), -EEXIST);
	ck_assert_int_eq(rename_new_at(dir, "new", dir, "file"), -EEXIST);
	ck_assert_int_eq(rename_new_at(dir, "missing", dir, "other"), -ENOENT);
	ck_assert(exists("new/inside") && exists("file") && exists("there"));
	ck_assert_int_eq(rename_new_at(dir, "new", dir, "other"), 0);
	ck_assert(exists("other/inside") && !exists("new"));
	remove_folder();
}
END_TEST

START_TEST(two_change_places)
{
	struct err e = { 0 };

	make_folder();
	ck_assert_int_eq(rename_exchange_at(dir, "new", dir, "there", &e), 0);
	ck_assert(exists("there/inside") && exists("new") && !exists("new/inside"));
	ck_assert_int_eq(rename_exchange_at(dir, "new", dir, "missing", &e), -ENOENT);
	ck_assert_str_eq(e.hint, "");
	ck_assert(exists("new"));
	/* EINVAL, as from a filesystem that cannot */
	ck_assert_int_eq(rename_exchange_at(dir, "there", dir, "there/inside", &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.hint, "HOLM_ROOT"));
	remove_folder();
}
END_TEST

UNIT_MAIN("base/rename", UNIT(what_is_there_is_not_replaced), UNIT(two_change_places))
