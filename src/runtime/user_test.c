#include "runtime/user.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken\n"
			     "worse:x:zero:0::/:/\n"
			     "minus:x:-1:0::/:/\n"
			     "web:x:33:33:www:/var/www:/bin/sh\n"
			     "web:x:34:34:later:/later:/bin/sh\n"
			     "nohome:x:40:41\n"
			     "1234:x:50:51:a name of digits:/n:/bin/sh\n"
			     "last:x:60:61::relative:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "web:x:33:\n"
			    "wheel:x:10:root,web\n"
			    "audio:x:63:web,last\n"
			    "audio2:x:64:website\n"
			    ":::\n"
			    "bad:x:4294967295:web\n";

static char folder[64];
static int root;

static void make_root(void)
{
	struct err e;

	strcpy(folder, "/tmp/holm-user-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(root, "etc", 0755), 0);
	ck_assert_int_eq(fd_write_file_at(root, "etc/passwd", passwd, sizeof(passwd) - 1, 0644, &e),
			 0);
	ck_assert_int_eq(fd_write_file_at(root, "etc/group", group, sizeof(group) - 1, 0644, &e),
			 0);
}

static void remove_root(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(root);
	ck_assert_int_eq(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e), 0);
}

static const struct {
	const char *name;   /* username */
	const char *groups; /* org.holm.groups */
	const char *error;  /* part of the message, or NULL */
	uint32_t uid, gid;
	const char *supplementary; /* "10 63" */
	const char *home;
} rows[] = {
	{ "root", NULL, NULL, 0, 0, "10", "/root" },
	{ "web", NULL, NULL, 33, 33, "10 63", "/var/www" },
	{ "web:wheel", NULL, NULL, 33, 10, "", "/var/www" },
	{ "web:7", NULL, NULL, 33, 7, "", "/var/www" },
	{ "web:", NULL, NULL, 33, 33, "10 63", "/var/www" },
	{ ":wheel", NULL, NULL, 0, 10, "", "/root" },
	{ "33", NULL, NULL, 33, 33, "10 63", "/var/www" },
	{ "34", NULL, NULL, 34, 34, "10 63", "/later" },
	{ "777", NULL, NULL, 777, 0, "", NULL },
	{ "1234", NULL, NULL, 1234, 0, "", NULL },
	{ "nohome", NULL, NULL, 40, 41, "", NULL },
	{ "last", NULL, NULL, 60, 61, "63", NULL },
	{ "web", "44,wheel,44,root", NULL, 33, 33, "10 63 44 0", "/var/www" },
	{ "4294967294", NULL, NULL, 4294967294, 0, "", NULL },
	{ "4294967295", NULL, "4294967295" },
	{ "4294967296", NULL, "4294967296" },
	{ "-1", NULL, "-1" },
	{ "+1", NULL, "+1" },
	{ "01x", NULL, "no user '01x'" },
	{ " 1", NULL, "no user ' 1'" },
	{ "broken", NULL, "no user 'broken'" },
	{ "worse", NULL, "no user 'worse'" },
	{ "minus", NULL, "no user 'minus'" },
	{ "nobody", NULL, "no user 'nobody'" },
	{ "web:none", NULL, "no group 'none'" },
	{ "web:bad", NULL, "no group 'bad'" },
	{ "web:4294967296", NULL, "4294967296" },
	{ "web", "none", "no group 'none'" },
};

START_TEST(a_user_is_looked_up)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	const struct oci_user asked = { .uid = 99, .username = (char *)rows[_i].name };
	char list[64] = "";
	struct err e;

	make_root();
	int r = runtime_user_resolve(&user, root, &asked, rows[_i].groups, &e);
	remove_root();
	if (rows[_i].error) {
		ck_assert_int_lt(r, 0);
		ck_assert_msg(strstr(e.text, rows[_i].error), "%s", e.text);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_uint_eq(user.uid, rows[_i].uid);
	ck_assert_uint_eq(user.gid, rows[_i].gid);
	for (size_t i = 0; i < user.groups_count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%u", i ? " " : "",
			 user.groups[i]);
	ck_assert_str_eq(list, rows[_i].supplementary);
	ck_assert_pstr_eq(user.home, rows[_i].home);
}
END_TEST

START_TEST(numbers_count_without_a_name)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	uint32_t more[] = { 5, 34, 5 };
	const struct oci_user asked = { .uid = 33, .gid = 34, .additional_gids = { more, 3 } };
	struct err e;

	make_root();
	ck_assert_int_eq(runtime_user_resolve(&user, root, &asked, NULL, &e), 0);
	remove_root();
	ck_assert_uint_eq(user.gid, 34);
	ck_assert_uint_eq(user.groups_count, 1);
	ck_assert_uint_eq(user.groups[0], 5);
	ck_assert_str_eq(user.home, "/var/www");
}
END_TEST

START_TEST(an_image_without_passwd_has_numbers)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	const struct oci_user asked = { .username = (char *)"12:13" };
	struct err e;

	make_root();
	ck_assert_int_eq(unlinkat(root, "etc/passwd", 0), 0);
	ck_assert_int_eq(unlinkat(root, "etc/group", 0), 0);
	ck_assert_int_eq(runtime_user_resolve(&user, root, &asked, NULL, &e), 0);
	remove_root();
	ck_assert_uint_eq(user.uid, 12);
	ck_assert_uint_eq(user.gid, 13);
	ck_assert_ptr_null(user.home);
}
END_TEST

UNIT_MAIN("runtime/user", UNIT_LOOP(a_user_is_looked_up, COUNT_OF(rows)),
	  UNIT(numbers_count_without_a_name), UNIT(an_image_without_passwd_has_numbers))
