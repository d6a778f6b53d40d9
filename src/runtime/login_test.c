#include "runtime/login.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/tree.h"

#define ANNA       "anna:1000:100:/home/anna"
#define ANNA_USER  "anna:*:1000:100:anna:/home/anna:/bin/sh\n"
#define ANNA_GROUP "anna:x:100:\n"
#define ROOT       "root:x:0:0::/root:/bin/sh\n"

static char folder[64];
static int root;

static void make_root(void)
{
	strcpy(folder, "/tmp/holm-login-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(root, "etc", 0755), 0);
}

static void remove_root(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(root);
	ck_assert_int_eq(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e), 0);
}

static void put(const char *path, const char *text)
{
	struct err e;

	ck_assert_int_eq(fd_write_file_at(root, path, text, strlen(text), 0644, &e), 0);
}

static void holds(const char *path, const char *wanted)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;
	own_fd int fd = openat(root, path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	str_add(&text, "");
	ck_assert_int_eq(fd_read_all(fd, 4 << 20, &text, &e), 0);
	ck_assert_str_eq(text.text, wanted);
}

static int add(const char *login, bool readonly, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	const struct runtime_tree tree = { .root_fd = root };

	spec.root = mem_new_struct(struct oci_root);
	spec.root->readonly = readonly;
	if (login)
		shape_map_set(&spec.annotations, "org.holm.login", login);
	return runtime_login_add_in_child(&spec, &tree, e);
}

static const struct {
	const char *before, *after; /* /etc/passwd */
} rows[] = {
	{ "", ANNA_USER },
	{ ROOT, ROOT ANNA_USER },
	{ "root:x:0:0::/root:/bin/sh", ROOT ANNA_USER },
	{ "\n\n", "\n\n" ANNA_USER },
	{ "broken\n:\n::\n", "broken\n:\n::\n" ANNA_USER },
	/* the name or the number elsewhere is another thing */
	{ "ann:x:1:1000:anna:/1000:/anna\n", "ann:x:1:1000:anna:/1000:/anna\n" ANNA_USER },
	{ "annamaria:x:10000:1::/:/\n", "annamaria:x:10000:1::/:/\n" ANNA_USER },
	{ "anna:x\n", "anna:x\n" ANNA_USER },
	/* it has the one or the other */
	{ "anna:x:5:5::/:/\n", "anna:x:5:5::/:/\n" },
	{ "web:x:1000:5::/:/\n", "web:x:1000:5::/:/\n" },
	{ "anna:x:5", "anna:x:5" },
	{ ROOT "web:x:1000:5::/:/", ROOT "web:x:1000:5::/:/" },
};

START_TEST(a_line_is_added_unless_the_name_or_the_number_is_there)
{
	struct err e;

	make_root();
	put("etc/passwd", rows[_i].before);
	put("etc/group", "");
	ck_assert_int_eq(add(ANNA, false, &e), 0);
	holds("etc/passwd", rows[_i].after);
	holds("etc/group", ANNA_GROUP);
	remove_root();
}
END_TEST

START_TEST(a_second_start_adds_nothing)
{
	struct err e;

	make_root();
	put("etc/passwd", ROOT);
	put("etc/group", "");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(add(ANNA, false, &e), 0);
	holds("etc/passwd", ROOT ANNA_USER);
	holds("etc/group", ANNA_GROUP);
	remove_root();
}
END_TEST

START_TEST(what_is_not_asked_for_or_read_only_stays)
{
	struct err e;

	make_root();
	put("etc/passwd", ROOT);
	ck_assert_int_eq(add(NULL, false, &e), 0);
	ck_assert_int_eq(add(ANNA, true, &e), 0);
	holds("etc/passwd", ROOT);
	remove_root();
}
END_TEST

START_TEST(files_that_are_not_there_are_not_made)
{
	struct err e;

	make_root();
	ck_assert_int_eq(add(ANNA, false, &e), 0);
	ck_assert_int_eq(faccessat(root, "etc/passwd", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(root, "etc/group", F_OK, 0), -1);
	remove_root();
}
END_TEST

/* An image can have anything in these places: nothing is opened that waits, and nothing outside. */
START_TEST(what_is_no_file_of_the_root_is_left_alone)
{
	struct err e;

	make_root();
	ck_assert_int_eq(mkfifoat(root, "etc/passwd", 0644), 0);
	ck_assert_int_eq(mkdirat(root, "etc/group", 0755), 0);
	ck_assert_int_eq(add(ANNA, false, &e), 0);
	remove_root();

	make_root();
	own_free char *outside = mem_format("%s.outside", folder);
	own_fd int fd = open(outside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(symlinkat(outside, root, "etc/passwd"), 0);
	own_free char *up = mem_format("../../..%s", outside);
	ck_assert_int_eq(symlinkat(up, root, "etc/group"), 0);
	ck_assert_int_eq(add(ANNA, false, &e), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
	unlink(outside);
	remove_root();
}
END_TEST

START_TEST(a_file_without_end_is_refused_by_its_name)
{
	struct err e = { 0 };

	make_root();
	put("etc/passwd", "");
	own_free char *path = mem_format("%s/etc/passwd", folder);
	ck_assert_int_eq(truncate(path, 2 << 20), 0);
	ck_assert_int_lt(add(ANNA, false, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "/etc/passwd"));
	remove_root();
}
END_TEST

static const char *const wrong[] = {
	"", "anna", "anna:1000:100", "anna:1000:100:/home:/bin/sh", "anna:1000:100:/\nroot2:x:0:0",
};

START_TEST(what_is_no_login_is_refused)
{
	struct err e = { 0 };

	make_root();
	put("etc/passwd", ROOT);
	ck_assert_int_lt(add(wrong[_i], false, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, "NAME:UID:GID:HOME"));
	holds("etc/passwd", ROOT);
	remove_root();
}
END_TEST

UNIT_MAIN("runtime/login",
	  UNIT_LOOP(a_line_is_added_unless_the_name_or_the_number_is_there,
		    sizeof(rows) / sizeof(rows[0])),
	  UNIT(a_second_start_adds_nothing), UNIT(what_is_not_asked_for_or_read_only_stays),
	  UNIT(files_that_are_not_there_are_not_made),
	  UNIT(what_is_no_file_of_the_root_is_left_alone),
	  UNIT(a_file_without_end_is_refused_by_its_name),
	  UNIT_LOOP(what_is_no_login_is_refused, sizeof(wrong) / sizeof(wrong[0])))
