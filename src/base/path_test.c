/* A tree beneath which every path must stay, whatever its links say. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/unit.h"

static char outer[64];
static int outer_fd, root;

/* outer/secret lies beside the tree outer/root; links inside the tree try to get at it. */
static void make_tree(void)
{
	static const char *const links[][2] = {
		{ "/etc", "absolute" },
		{ "../secret", "up" },
		{ "../../../../secret", "far" },
		{ "loop_b", "loop_a" },
		{ "loop_a", "loop_b" },
		{ "sub/nowhere", "dangling" },
		{ "/proc/self/root", "magic" },
		{ "..", "parent" },
		{ "sub", "inside" },
	};
	struct err e;

	strcpy(outer, "/tmp/holm-path-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(outer));
	outer_fd = open(outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(outer_fd, "root", 0755), 0);
	ck_assert_int_eq(fd_write_file_at(outer_fd, "secret", "s", 1, 0644, &e), 0);
	root = openat(outer_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdirat(root, "sub", 0755), 0);
	ck_assert_int_eq(fd_write_file_at(root, "sub/file", "f", 1, 0644, &e), 0);
	for (size_t i = 0; i < COUNT_OF(links); i++)
		ck_assert_int_eq(symlinkat(links[i][0], root, links[i][1]), 0);
}

static void remove_tree(void)
{
	struct err e;
	const char *name = strrchr(outer, '/') + 1;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(root);
	close(outer_fd);
	ck_assert_int_eq(fd_remove_tree_at(tmp, name, &e), 0);
}

static const struct {
	const char *path;
	int result; /* 0: opened */
} opens[] = {
	{ "sub/file", 0 },
	{ "/sub/file", 0 },
	{ "inside/file", 0 },
	{ "sub/../sub/file", 0 },
	{ "../../sub/file", 0 },
	{ "parent/sub/file", 0 },
	{ "parent/parent/sub/file", 0 },
	{ "up", -ENOENT },
	{ "far", -ENOENT },
	{ "../secret", -ENOENT },
	{ "parent/secret", -ENOENT },
	{ "absolute/passwd", -ENOENT },
	{ "loop_a", -ELOOP },
	{ "dangling", -ENOENT },
	{ "magic", -ENOENT },
};

START_TEST(no_path_leaves_the_root)
{
	struct err e;

	make_tree();
	int fd = path_open(root, opens[_i].path, O_RDONLY, 0, &e);
	if (opens[_i].result == 0) {
		char c = 0;
		ck_assert_msg(fd >= 0, "%s", e.text);
		ck_assert_int_eq(read(fd, &c, 1), 1);
		ck_assert_int_eq(c, 'f');
		ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	} else {
		ck_assert_int_eq(fd, opens[_i].result);
		ck_assert_ptr_nonnull(strstr(e.text, opens[_i].path));
	}
	remove_tree();
}
END_TEST

START_TEST(a_magic_link_is_not_followed)
{
	struct err e;
	own_fd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(path_open(proc, "root", O_PATH, 0, &e), -ELOOP);
	ck_assert_int_eq(path_open(proc, "fd/0", O_RDONLY, 0, &e), -ELOOP);
}
END_TEST

static const struct {
	const char *path;
	const char *made; /* from the root; NULL: refused */
} folders[] = {
	{ "a/b/c", "a/b/c" },
	{ "/a//b/./c/", "a/b/c" },
	{ "inside/x", "sub/x" },
	{ "parent/x/y", "x/y" },
	{ "../../../x", "x" },
	{ "absolute/x", "etc/x" },
	{ "sub/file/x", NULL },
	{ "dangling/x", "sub/nowhere/x" },
	{ "loop_a/x", NULL },
	{ "sub", "sub" },
	{ "/", "." },
};

START_TEST(folders_are_made_below_the_root)
{
	struct err e;
	struct stat made, there;

	make_tree();
	own_fd int fd = path_make_dirs(root, folders[_i].path, 0750, &e);
	if (folders[_i].made) {
		ck_assert_msg(fd >= 0, "%s", e.text);
		ck_assert_int_eq(fstat(fd, &made), 0);
		ck_assert_int_eq(fstatat(root, folders[_i].made, &there, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert_uint_eq(made.st_ino, there.st_ino);
	} else {
		ck_assert_int_lt(fd, 0);
		ck_assert_uint_gt(strlen(e.text), 0);
	}
	ck_assert_int_lt(faccessat(outer_fd, "x", F_OK, 0), 0);
	remove_tree();
}
END_TEST

START_TEST(the_parent_is_opened_and_the_name_is_not_followed)
{
	struct err e;
	const char *last = NULL;

	make_tree();
	own_fd int fd = path_open_parent(root, "inside/loop", false, &last, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(last, "loop");
	ck_assert_int_eq(symlinkat("/anywhere", fd, last), 0);
	ck_assert_int_eq(unlinkat(root, "sub/loop", 0), 0);

	own_fd int made = path_open_parent(root, "new/folder/name", true, &last, &e);
	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(faccessat(root, "new/folder", F_OK, 0), 0);
	ck_assert_int_lt(path_open_parent(root, "none/name", false, &last, &e), 0);
	ck_assert_int_lt(path_open_parent(root, "sub/", false, &last, &e), 0);
	ck_assert_int_lt(path_open_parent(root, "sub/..", false, &last, &e), 0);
	ck_assert_int_lt(path_open_parent(root, "..", false, &last, &e), 0);
	ck_assert_int_lt(path_open_parent(root, "", false, &last, &e), 0);
	remove_tree();
}
END_TEST

START_TEST(the_target_of_a_file_mount_is_made_inside)
{
	struct err e;
	struct stat st;

	make_tree();
	own_fd int fd = path_make_file(root, "/run/secrets/key", 0600, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISREG(st.st_mode) && st.st_size == 0);
	own_fd int there = path_make_file(root, "sub/file", 0600, &e);
	ck_assert_int_ge(there, 0);
	ck_assert_int_eq(fstat(there, &st), 0);
	ck_assert_int_eq(st.st_size, 1);
	own_fd int dangling = path_make_file(root, "dangling", 0600, &e);
	ck_assert_int_ge(dangling, 0);
	ck_assert_int_eq(fstatat(root, "sub/nowhere", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(path_make_file(root, "loop_a", 0600, &e), -ELOOP);
	remove_tree();
}
END_TEST

static const struct {
	const char *path;
	const char *clean;
} cleans[] = {
	{ "", "/" },
	{ "/", "/" },
	{ "a", "/a" },
	{ "/a/", "/a" },
	{ "//a/./b/../c/", "/a/c" },
	{ "/..", "/" },
	{ "../../a", "/a" },
	{ "/a/b/../..", "/" },
	{ "/...", "/..." },
};

START_TEST(cleaning_is_lexical)
{
	own_free char *clean = path_clean(cleans[_i].path);

	ck_assert_str_eq(clean, cleans[_i].clean);
}
END_TEST

START_TEST(joining_puts_one_slash_between)
{
	static const char *const rows[][3] = {
		{ "a", "b", "a/b" },    { "a/", "b", "a/b" }, { "a", "/b", "a/b" },
		{ "a/", "//b", "a/b" }, { "", "b", "b" },     { "/", "b", "/b" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		own_free char *joined = path_join(rows[i][0], rows[i][1]);
		ck_assert_str_eq(joined, rows[i][2]);
	}
}
END_TEST

START_TEST(a_name_is_one_part)
{
	char long_name[257];

	memset(long_name, 'x', 256);
	long_name[256] = '\0';
	ck_assert(path_is_name("a") && path_is_name("...") && path_is_name(long_name + 1));
	ck_assert(!path_is_name("") && !path_is_name(".") && !path_is_name(".."));
	ck_assert(!path_is_name("a/b") && !path_is_name("/") && !path_is_name(long_name));
}
END_TEST

UNIT_MAIN("base/path", UNIT_LOOP(no_path_leaves_the_root, COUNT_OF(opens)),
	  UNIT(a_magic_link_is_not_followed),
	  UNIT_LOOP(folders_are_made_below_the_root, COUNT_OF(folders)),
	  UNIT(the_parent_is_opened_and_the_name_is_not_followed),
	  UNIT(the_target_of_a_file_mount_is_made_inside),
	  UNIT_LOOP(cleaning_is_lexical, COUNT_OF(cleans)), UNIT(joining_puts_one_slash_between),
	  UNIT(a_name_is_one_part))
