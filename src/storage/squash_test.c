#include "storage/squash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/unit.h"
#include "oci/whiteout.h"

static char folder[64];
static int root = -1;

static void begin(void)
{
	strcpy(folder, "/tmp/holm-squash-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static void end(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(root);
	ck_assert_int_eq(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e), 0);
}

static void make_dir(const char *path)
{
	ck_assert_int_eq(mkdirat(root, path, 0755), 0);
}

static void make_file(const char *path, const char *text)
{
	struct err e;

	ck_assert_int_eq(fd_write_file_at(root, path, text, strlen(text), 0640, &e), 0);
}

static void make_whiteout(const char *path)
{
	ck_assert_int_eq(mknodat(root, path, S_IFCHR, makedev(0, 0)), 0);
}

static bool mark_opaque(const char *path)
{
	own_fd int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0 ||
	       fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0;
}

static bool is_opaque(const char *path)
{
	own_fd int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value;

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 ||
	       fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1;
}

static bool is_there(const char *path)
{
	return faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void squash(const char *layer, const struct squash_options *options)
{
	own_fd int to = openat(root, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int from = openat(root, layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e;

	ck_assert_msg(storage_squash_add(to, from, options, &e) == 0, "%s", e.text);
}

static void has_text(const char *path, const char *text)
{
	char found[16] = "";
	own_fd int fd = openat(root, path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, found, sizeof(found) - 1), 0);
	ck_assert_str_eq(found, text);
}

/* False: this filesystem has no attributes to mark a folder with. */
static bool make_layers(void)
{
	begin();
	make_dir("to");
	make_dir("a");
	make_dir("a/d");
	make_dir("a/gone");
	make_dir("a/hidden");
	make_file("a/d/one", "1");
	make_file("a/d/two", "2");
	make_file("a/gone/x", "x");
	make_file("a/hidden/y", "y");
	make_file("a/file", "f");
	make_whiteout("a/white");
	make_dir("b");
	make_dir("b/d");
	make_dir("b/hidden");
	make_dir("b/file");
	make_dir("b/white");
	make_file("b/d/two", "zwei");
	make_file("b/file/in", "i");
	make_whiteout("b/gone");
	ck_assert_int_eq(fchmodat(root, "b/d", 0711, 0), 0);
	ck_assert_int_eq(fchmodat(root, "b", 0700, 0), 0);
	if (mark_opaque("b/hidden"))
		return true;
	end();
	return false;
}

static void check(void)
{
	struct stat st;

	has_text("to/d/one", "1");
	has_text("to/d/two", "zwei");
	has_text("to/file/in", "i");
	ck_assert(is_opaque("to/file"));
	ck_assert(is_opaque("to/white"));
	ck_assert(is_opaque("to/hidden"));
	ck_assert(!is_opaque("to/d"));
	ck_assert(!is_there("to/hidden/y"));
	ck_assert_int_eq(fstatat(root, "to/gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISCHR(st.st_mode));
	ck_assert_int_eq(fstatat(root, "to/d", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0711);
	ck_assert_int_eq(fstatat(root, "to", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert(!is_opaque("to"));
}

START_TEST(what_is_above_hides_what_is_below)
{
	static const struct squash_options links = { 0 };
	struct stat a, b;

	if (!make_layers())
		unit_skip("no attributes for folders in /tmp");
	squash("a", &links);
	squash("b", &links);
	check();
	ck_assert_int_eq(fstatat(root, "a/d/one", &a, 0), 0);
	ck_assert_int_eq(fstatat(root, "to/d/one", &b, 0), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	end();
}
END_TEST

START_TEST(an_opaque_folder_stays_so_under_a_plain_one)
{
	static const struct squash_options links = { 0 };

	if (!make_layers())
		unit_skip("no attributes for folders in /tmp");
	make_dir("c");
	make_dir("c/hidden");
	make_file("c/hidden/z", "z");
	squash("a", &links);
	squash("b", &links);
	squash("c", &links);
	has_text("to/hidden/z", "z");
	ck_assert(is_opaque("to/hidden"));
	end();
}
END_TEST

START_TEST(copies_are_files_of_their_own)
{
	static const struct copy_options copy = { .all_attributes = true };
	static const struct squash_options copies = { &copy };
	struct stat a, b;

	if (!make_layers())
		unit_skip("no attributes for folders in /tmp");
	squash("a", &copies);
	squash("b", &copies);
	check();
	ck_assert_int_eq(fstatat(root, "a/d/one", &a, 0), 0);
	ck_assert_int_eq(fstatat(root, "to/d/one", &b, 0), 0);
	ck_assert_uint_ne(a.st_ino, b.st_ino);
	ck_assert_uint_eq(b.st_mode & 07777, 0640);
	end();
}
END_TEST

START_TEST(what_only_hides_is_left_out_of_the_lowest)
{
	const struct copy_options copy = { .all_attributes = true };
	const struct squash_options lowest = { .copy = &copy, .lowest = true };

	if (!make_layers())
		unit_skip("no attributes of overlayfs here");
	squash("a", &lowest);
	ck_assert(!is_there("to/white"));
	squash("b", &lowest);
	ck_assert(!is_there("to/gone"));
	ck_assert(!is_there("to/hidden/y"));
	has_text("to/d/one", "1");
	has_text("to/d/two", "zwei");
	end();
}
END_TEST

START_TEST(files_without_bytes_say_where_those_are)
{
	const struct copy_options copy = { .all_attributes = true };
	const struct squash_options redirected = { .copy = &copy, .redirect = true };
	char path[32] = "";
	struct stat st;

	if (!make_layers())
		unit_skip("no attributes of overlayfs here");
	make_file("a/d/large", "x");
	own_fd int large = openat(root, "a/d/large", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(large, 5000), 0);
	squash("a", &redirected);
	own_fd int fd = openat(root, "to/d/large", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 5000);
	ck_assert_int_eq(fgetxattr(fd, "user.overlay.metacopy", path, sizeof(path)), 0);
	ck_assert_int_gt(fgetxattr(fd, "user.overlay.redirect", path, sizeof(path) - 1), 0);
	ck_assert_str_eq(path, "/d/large");
	has_text("to/d/one", "1");
	end();
}
END_TEST

START_TEST(whiteouts_by_name_hide_what_is_below)
{
	static const struct squash_options links, lowest = { .lowest = true };
	struct err e;

	begin();
	make_dir("to");
	make_dir("a");
	make_dir("a/d");
	make_file("a/d/old", "o");
	make_file("a/gone", "g");
	make_file("a/kept", "k");
	make_dir("b");
	make_dir("b/d");
	make_file("b/d/.wh..wh..opq", "");
	make_file("b/d/new", "n");
	make_file("b/.wh.gone", "");
	make_file("b/.wh.never", "");
	make_file("b/.wh.late", "");
	make_dir("c");
	make_dir("c/late");
	make_file("c/late/.wh..wh..opq", "");
	own_fd int c = openat(root, "c", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int b = openat(root, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool marked =
		oci_whiteout_mark_by_names(b, &e) == 0 && oci_whiteout_mark_by_names(c, &e) == 0;
	squash("a", &lowest);
	if (marked) {
		squash("b", &links);
		ck_assert(is_there("to/kept") && is_there("to/d/new") && is_there("to/.wh.never"));
		ck_assert(!is_there("to/gone") && is_there("to/.wh.gone") && !is_there("to/d/old"));
		ck_assert(is_opaque("to/d") && !is_there("to/d/.wh..wh..opq"));
		squash("c", &links);
		ck_assert(is_opaque("to/late") && !is_there("to/.wh.late"));
		/* what comes later shows again */
		squash("a", &links);
		ck_assert(is_there("to/gone") && !is_there("to/.wh.gone"));
		squash("b", &lowest);
		ck_assert(!is_there("to/gone") && !is_there("to/.wh.gone"));
	}
	end();
	if (!marked)
		unit_skip("no attributes user.* here");
}
END_TEST

UNIT_MAIN("storage/squash", UNIT(what_is_above_hides_what_is_below),
	  UNIT(an_opaque_folder_stays_so_under_a_plain_one), UNIT(copies_are_files_of_their_own),
	  UNIT(what_only_hides_is_left_out_of_the_lowest),
	  UNIT(files_without_bytes_say_where_those_are), UNIT(whiteouts_by_name_hide_what_is_below))
