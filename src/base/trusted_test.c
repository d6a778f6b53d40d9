#include "base/trusted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

/* A folder below one like /tmp, with bin/x in it; the caller's. */
static char *make_folder(void)
{
	char *path = mem_text("/tmp/trusted.XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(path));
	own_free char *bin = mem_format("%s/bin", path);
	own_free char *file = mem_format("%s/bin/x", path);
	ck_assert_int_eq(mkdir(bin, 0755), 0);
	int fd = open(file, O_WRONLY | O_CREAT, 0755);
	ck_assert_int_ge(fd, 0);
	close(fd);
	return path;
}

static void remove_folder(const char *path)
{
	own_free char *command = mem_format("rm -rf '%s'", path);

	ck_assert_int_eq(system(command), 0);
}

static int check(const char *folder, const char *name)
{
	own_free char *path = mem_format("%s/%s", folder, name);
	struct err e;

	int r = trusted_check(path, &e);
	if (r < 0)
		ck_assert_int_eq(e.kind, ERR_PERMISSION);
	return r;
}

static void set_mode(const char *folder, const char *name, mode_t mode)
{
	own_free char *path = mem_format("%s/%s", folder, name);

	ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(what_others_can_write_is_not_trusted)
{
	own_free char *folder = make_folder();

	ck_assert_int_eq(check(folder, "bin/x"), 0);
	ck_assert_int_eq(check(folder, "./bin/../bin/x"), 0);
	set_mode(folder, "bin/x", 0757);
	ck_assert_int_lt(check(folder, "bin/x"), 0);
	set_mode(folder, "bin/x", 0755);
	set_mode(folder, "bin", 0757);
	ck_assert_int_lt(check(folder, "bin/x"), 0);
	set_mode(folder, "bin", 01777);
	ck_assert_int_eq(check(folder, "bin/x"), 0);
	remove_folder(folder);
}
END_TEST

START_TEST(links_are_followed_with_all_that_they_lead_through)
{
	own_free char *folder = make_folder();
	own_free char *link = mem_format("%s/link", folder);
	own_free char *loop = mem_format("%s/loop", folder);
	struct err e;

	ck_assert_int_eq(symlink("bin/../bin", link), 0);
	ck_assert_int_eq(symlink("loop", loop), 0);
	ck_assert_int_eq(check(folder, "link/x"), 0);
	set_mode(folder, "bin", 0777);
	ck_assert_int_lt(check(folder, "link/x"), 0);
	ck_assert_int_lt(trusted_check(loop, &e), 0);
	remove_folder(folder);
}
END_TEST

START_TEST(a_file_of_another_user_is_not_trusted)
{
	own_free char *folder = make_folder();
	own_free char *file = mem_format("%s/bin/x", folder);

	if (chown(file, 12345, 12345) == 0) {
		ck_assert_int_lt(check(folder, "bin/x"), 0);
		ck_assert_int_eq(chown(file, 0, 12345), 0);
		ck_assert_int_eq(check(folder, "bin/x"), 0);
		set_mode(folder, "bin/x", 0775);
		ck_assert_int_lt(check(folder, "bin/x"), 0);
		ck_assert_int_eq(chown(file, 0, 0), 0);
		set_mode(folder, "bin/x", 0775);
		ck_assert_int_eq(check(folder, "bin/x"), 0);
	} else
		printf("unit-skip: %s: needs root\n", __func__);
	remove_folder(folder);
}
END_TEST

UNIT_MAIN("base/trusted", UNIT(what_others_can_write_is_not_trusted),
	  UNIT(links_are_followed_with_all_that_they_lead_through),
	  UNIT(a_file_of_another_user_is_not_trusted))
