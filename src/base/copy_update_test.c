#include "base/copy_update.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/unit.h"

static char folder[64];
static int root = -1, from = -1, to = -1;

static int make_dir(const char *path)
{
	ck_assert_int_eq(mkdirat(root, path, 0755), 0);
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void begin(void)
{
	strcpy(folder, "/var/tmp/holm-copy-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	from = make_dir("from");
	to = make_dir("to");
}

static void end(void)
{
	struct err e;
	own_fd int above = open("/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(from);
	close(to);
	close(root);
	ck_assert_int_eq(fd_remove_tree_at(above, strrchr(folder, '/') + 1, &e), 0);
}

/* In place, where the file is there. */
static void put(const char *path, const char *text)
{
	own_fd int fd = openat(from, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
}

static void has(const char *path, const char *text)
{
	char found[16] = "";
	own_fd int fd = openat(to, path, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s is missing", path);
	ck_assert_int_ge(read(fd, found, sizeof(found) - 1), 0);
	ck_assert_str_eq(found, text);
}

static void has_not(const char *path)
{
	ck_assert_int_lt(faccessat(to, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void fill(void)
{
	begin();
	ck_assert_int_eq(mkdirat(from, "a", 0755), 0);
	ck_assert_int_eq(mkdirat(from, "b", 0755), 0);
	put("a/x", "in a");
	put("b/x", "in b");
	put("old", "stays");
	put("edit", "before");
	put("gone", "g");
}

static void first(struct copy_update *update)
{
	struct err e;

	update->options.all_attributes = true;
	ck_assert_msg(copy_update_begin(update, from, to, &e) == 0, "%s", e.text);
}

static int second(struct copy_update *update)
{
	struct err e;
	int r = copy_update_finish(update, from, to, &e);

	ck_assert_msg(r >= 0, "%s", e.text);
	copy_update_clear(update);
	return r;
}

START_TEST(what_changed_between_the_passes_is_copied_again)
{
	struct copy_update update = { 0 };

	fill();
	first(&update);
	has("edit", "before");
	put("edit", "behind"); /* as long as before */
	put("new", "n");
	ck_assert_int_eq(unlinkat(from, "gone", 0), 0);
	ck_assert_int_eq(renameat2(from, "a", from, "b", RENAME_EXCHANGE), 0);
	ck_assert_int_eq(mkdirat(from, "gone", 0711), 0);
	put("gone/in", "i");
	ck_assert_int_eq(second(&update), 0);
	has("old", "stays");
	has("edit", "behind");
	has("new", "n");
	has("a/x", "in b");
	has("b/x", "in a");
	has("gone/in", "i");
	end();
}
END_TEST

START_TEST(in_folders_that_are_older_than_the_first_pass_too)
{
	struct copy_update update = { 0 };

	fill();
	usleep(2 * 100000); /* longer than change times may be late */
	first(&update);
	put("a/x", "new");
	put("b/y", "y");
	ck_assert_int_eq(unlinkat(from, "b/x", 0), 0);
	ck_assert_int_eq(second(&update), 0);
	has("old", "stays");
	has("a/x", "new");
	has("b/y", "y");
	has_not("b/x");
	end();
}
END_TEST

START_TEST(what_went_goes_and_modes_follow)
{
	struct copy_update update = { 0 };
	struct stat st;

	fill();
	first(&update);
	ck_assert_int_eq(unlinkat(from, "b/x", 0), 0);
	ck_assert_int_eq(unlinkat(from, "b", AT_REMOVEDIR), 0);
	ck_assert_int_eq(fchmodat(from, "a", 0700, 0), 0);
	ck_assert_int_eq(fchmodat(from, "old", 0600, 0), 0);
	ck_assert_int_eq(second(&update), 0);
	has_not("b");
	has("a/x", "in a");
	ck_assert_int_eq(fstatat(to, "a", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fstatat(to, "old", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	end();
}
END_TEST

START_TEST(files_with_several_names_that_changed_are_for_another_copy)
{
	struct copy_update update = { 0 };

	fill();
	first(&update);
	ck_assert_int_eq(linkat(from, "old", from, "a/second", 0), 0);
	ck_assert_int_eq(second(&update), 1);
	end();
}
END_TEST

START_TEST(a_clock_that_was_set_makes_it_unsure)
{
	struct copy_update update = { 0 };

	fill();
	first(&update);
	update.offset_ns -= 3600 * INT64_C(1000000000);
	ck_assert_int_eq(second(&update), 1);
	end();
}
END_TEST

UNIT_MAIN("base/copy_update", UNIT(what_changed_between_the_passes_is_copied_again),
	  UNIT(in_folders_that_are_older_than_the_first_pass_too),
	  UNIT(what_went_goes_and_modes_follow),
	  UNIT(files_with_several_names_that_changed_are_for_another_copy),
	  UNIT(a_clock_that_was_set_makes_it_unsure))
