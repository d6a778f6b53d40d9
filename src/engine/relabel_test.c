#include "engine/relabel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

#define ID "0000080100000000000000000000000000000000000000000000000000000000"

START_TEST(the_label_is_the_policys_with_categories_of_the_container)
{
	static const struct {
		const char *contexts, *word, *id, *label;
	} rows[] = {
		{ NULL, "z", ID, "system_u:object_r:container_file_t:s0" },
		{ NULL, "Z", ID, "system_u:object_r:container_file_t:s0:c1,c2" },
		{ "process = \"a:b:c:s0\"\nfile = \"u:r:t:s0\"\n", "z", ID, "u:r:t:s0" },
		{ " file=\"u:r:t:s0\"", "Z", "ffffffff", "u:r:t:s0:c0,c1023" },
		{ "file = \"\"\nfile = unquoted\nfilex = \"u:r:x:s0\"\nfile = \"cut\nfile", "z", ID,
		  "system_u:object_r:container_file_t:s0" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		own_free char *label =
			engine_relabel_label(rows[i].contexts, rows[i].word, rows[i].id);
		ck_assert_str_eq(label, rows[i].label);
	}
}
END_TEST

START_TEST(what_the_host_needs_is_refused)
{
	struct err e;

	ck_assert_int_lt(engine_relabel_check("/etc", &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_lt(engine_relabel_check("/", &e), 0);
	ck_assert_int_eq(engine_relabel_check("/etc/mine", &e), 0);
	ck_assert_int_eq(engine_relabel_check("/home/me", &e), 0);
}
END_TEST

static void label_is(const char *path, const char *label)
{
	char got[128] = "";

	if (lgetxattr(path, "security.selinux", got, sizeof(got) - 1) < 0)
		got[0] = '\0';
	ck_assert_msg(!strcmp(got, label), "%s: '%s' instead of '%s'", path, got, label);
}

START_TEST(all_files_get_it_and_no_link_is_followed)
{
	char folder[] = "/tmp/holm-relabel.XXXXXX";
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("tree", 0755), 0);
	ck_assert_int_eq(mkdir("tree/deep", 0755), 0);
	ck_assert_int_eq(mkfifo("tree/deep/fifo", 0600), 0);
	ck_assert_int_eq(mkdir("outside", 0755), 0);
	ck_assert_int_eq(symlink("../outside", "tree/link"), 0);
	own_fd int fd = open("tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool can = setxattr("outside", "security.selinux", "old", 4, 0) == 0;
	int r = can ? engine_relabel_tree(fd, "u:r:t:s0", &e) : 0;
	ck_assert_msg(r == 0, "%s", e.text);
	if (can) {
		label_is("tree", "u:r:t:s0");
		label_is("tree/deep/fifo", "u:r:t:s0");
		label_is("tree/link", "u:r:t:s0");
		label_is("outside", "old");
	}
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, folder, &e), 0);
	if (!can)
		unit_skip("security.selinux cannot be written here");
}
END_TEST

START_TEST(parts_of_a_label_take_the_place_of_the_policys)
{
	static const char contexts[] = "process = \"su:sr:c_t:s0\"\nfile = \"su:or:f_t:s0\"\n";
	static const struct {
		bool files;
		const char *words, *label;
	} rows[] = {
		{ false, "type:mine_t", "su:sr:mine_t:s0:c1,c2" },
		{ true, "type:mine_t", "su:or:f_t:s0:c1,c2" },
		{ false, "level:s0:c7,c9", "su:sr:c_t:s0:c7,c9" },
		{ true, "level:s0:c7,c9,filetype:g_t", "su:or:g_t:s0:c7,c9" },
		{ false, "level:s1,user:u,role:r,type:t", "u:r:t:s1" },
		{ true, "level:s1,user:u,role:r,type:t", "u:or:f_t:s1" },
		{ false, "type:a_t,nested,type:b_t", "su:sr:b_t:s0:c1,c2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		/* 2 * 1024 + 1 */
		own_free char *got = engine_relabel_compose(contexts, rows[i].files, rows[i].words,
							    "0000080100000000");
		ck_assert_str_eq(got, rows[i].label);
	}
	own_free char *fallback = engine_relabel_compose(NULL, false, "level:s0", "00000801");
	ck_assert_str_eq(fallback, "system_u:system_r:container_t:s0");
}
END_TEST

UNIT_MAIN("engine/relabel", UNIT(parts_of_a_label_take_the_place_of_the_policys),
	  UNIT(the_label_is_the_policys_with_categories_of_the_container),
	  UNIT(what_the_host_needs_is_refused), UNIT(all_files_get_it_and_no_link_is_followed))
