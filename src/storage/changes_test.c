#include "storage/changes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/whiteout.h"

static char old_path[] = "/tmp/holm-changes-XXXXXX";
static char new_path[] = "/tmp/holm-changes-XXXXXX";
static int old_fd, new_fd;

static void begin(void)
{
	strcpy(old_path, "/tmp/holm-changes-XXXXXX");
	strcpy(new_path, "/tmp/holm-changes-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(old_path));
	ck_assert_ptr_nonnull(mkdtemp(new_path));
	old_fd = open(old_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new_fd = open(new_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void end(void)
{
	struct err e;

	close(old_fd);
	close(new_fd);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, old_path, &e), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, new_path, &e), 0);
}

static void put(int fd, const char *name, const char *text)
{
	const struct timespec times[2] = { { 7, 1 }, { 7, 1 } };
	struct err e;

	ck_assert_int_eq(fd_write_file_at(fd, name, text, strlen(text), 0640, &e), 0);
	ck_assert_int_eq(utimensat(fd, name, times, 0), 0);
}

static void put_folder(int fd, const char *name)
{
	ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
}

static void expect(bool upper, const char *const *left_out, const char *wanted)
{
	own_clear(storage_changes_clear) struct storage_changes changes = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	const struct storage_changes_options options = { upper, left_out };
	struct err e = { 0 };

	ck_assert_msg(storage_changes_find(&changes, old_fd, new_fd, &options, &e) == 0, "%s",
		      e.text);
	for (size_t i = 0; i < changes.count; i++)
		str_addf(&text, "%c %s\n", changes.items[i].kind, changes.items[i].path);
	ck_assert_str_eq(text.text ? text.text : "", wanted);
}

START_TEST(two_trees_that_are_the_same_have_no_changes)
{
	begin();
	for (int i = 0; i < 2; i++) {
		put_folder(i ? old_fd : new_fd, "a");
		put(i ? old_fd : new_fd, "a/x", "same");
	}
	expect(false, NULL, "");
	end();
}
END_TEST

START_TEST(of_two_trees_what_is_missing_is_deleted_and_what_is_new_is_added)
{
	begin();
	put_folder(old_fd, "gone");
	put(old_fd, "gone/deep", "x");
	put_folder(old_fd, "kept");
	put_folder(new_fd, "kept");
	put(old_fd, "kept/changed", "1");
	put(new_fd, "kept/changed", "22");
	put(old_fd, "kind", "x");
	put_folder(new_fd, "kind");
	put(new_fd, "kind/in", "x");
	put_folder(new_fd, "new");
	put(new_fd, "new/deep", "x");
	expect(false, NULL,
	       "D /gone\nC /kept\nC /kept/changed\nC /kind\nA /kind/in\nA /new\nA /new/deep\n");
	end();
}
END_TEST

START_TEST(in_an_upper_folder_what_is_missing_is_as_it_was)
{
	static const char *const left_out[] = { "etc/hosts", NULL };

	begin();
	put_folder(old_fd, "etc");
	put(old_fd, "etc/group", "x");
	put(old_fd, "etc/passwd", "x");
	put_folder(new_fd, "etc");
	put(new_fd, "etc/hosts", "");
	expect(true, left_out, "");
	put(new_fd, "etc/passwd", "longer");
	expect(true, left_out, "C /etc\nC /etc/passwd\n");
	ck_assert_int_eq(fchmodat(new_fd, "etc", 0700, 0), 0);
	ck_assert_int_eq(unlinkat(new_fd, "etc/passwd", 0), 0);
	expect(true, left_out, "C /etc\n");
	end();
}
END_TEST

START_TEST(whiteouts_and_opaque_folders_say_what_went)
{
	if (geteuid() != 0)
		unit_skip("needs root");
	begin();
	put(old_fd, "file", "x");
	put_folder(old_fd, "home");
	put(old_fd, "home/old", "x");
	put(old_fd, "home/same", "x");
	put_folder(new_fd, "home");
	put(new_fd, "home/same", "x");
	put(new_fd, "home/new", "x");
	ck_assert_int_eq(mknodat(new_fd, "file", S_IFCHR, makedev(0, 0)), 0);
	ck_assert_int_eq(mknodat(new_fd, "never", S_IFCHR, makedev(0, 0)), 0);
	own_fd int home = openat(new_fd, "home", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fsetxattr(home, "trusted.overlay.opaque", "y", 1, 0) < 0)
		unit_skip("no trusted attributes here");
	expect(true, NULL, "D /file\nC /home\nA /home/new\nD /home/old\n");
	end();
}
END_TEST

START_TEST(whiteouts_by_name_say_what_went_where_the_root_is_marked)
{
	struct err e;

	begin();
	put(old_fd, "file", "x");
	put(old_fd, ".wh.plain", "x");
	put_folder(old_fd, "home");
	put(old_fd, "home/old", "x");
	put_folder(new_fd, "home");
	put(new_fd, "home/new", "x");
	put(new_fd, "home/.wh..wh..opq", "");
	put(new_fd, ".wh.file", "");
	put(new_fd, ".wh.never", "");
	expect(true, NULL,
	       "A /.wh.file\nA /.wh.never\nC /home\nA /home/.wh..wh..opq\nA /home/new\n");
	if (oci_whiteout_mark_by_names(new_fd, &e) < 0)
		unit_skip("no attributes user.* here");
	expect(true, NULL, "D /file\nC /home\nA /home/new\nD /home/old\n");
	end();
}
END_TEST

UNIT_MAIN("storage/changes", UNIT(two_trees_that_are_the_same_have_no_changes),
	  UNIT(of_two_trees_what_is_missing_is_deleted_and_what_is_new_is_added),
	  UNIT(in_an_upper_folder_what_is_missing_is_as_it_was),
	  UNIT(whiteouts_and_opaque_folders_say_what_went),
	  UNIT(whiteouts_by_name_say_what_went_where_the_root_is_marked))
