#include "runtime/intel_rdt.h"

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
#include "base/str.h"
#include "base/strv.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/intel_rdt_schema.h"

static char folder[] = "/tmp/holm-resctrl-XXXXXX";
static int root = -1;
static const char there[] = "    MB:0=100;1= 70\n    L3:0=7f0;1=01f\n";

/* A tree as resctrl's, but that files must be made and removed by hand. */
static void make_tree(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdirat(root, "mon_groups", 0755), 0);
	ck_assert_int_eq(mkdirat(root, "there", 0755), 0);
	ck_assert_int_eq(mkdirat(root, "there/mon_groups", 0755), 0);
	int fd = openat(root, "there/schemata", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(fd_write_all(fd, there, strlen(there)), 0);
	close(fd);
}

static void remove_tree(void)
{
	struct err e;

	close(root);
	fd_remove_tree_at(AT_FDCWD, folder, &e);
}

static char *content(const char *path)
{
	struct str text = { 0 };
	struct err e;

	return fd_read_file_at(root, path, 4096, &text, &e) < 0 ? NULL : str_take(&text);
}

static void has(const char *path, const char *wanted)
{
	own_free char *text = content(path);

	ck_assert_pstr_eq(text, wanted);
}

START_TEST(a_container_without_closid_has_a_group_of_its_own)
{
	struct oci_intel_rdt spec = { .l3_cache_schema = "L3:0=f\nMB:0=1",
				      .mem_bw_schema = "MB:0=20",
				      .enable_monitoring = true };
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };
	struct err e;

	make_tree();
	ck_assert_int_eq(mkdirat(root, "web", 0755), 0); /* its files and folders come with it */
	ck_assert_int_eq(mkdirat(root, "web/mon_groups", 0755), 0);
	int r = runtime_intel_rdt_make(&rdt, root, &spec, "web", &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(rdt.group, "web");
	ck_assert(rdt.own);
	has("web/schemata", "L3:0=f\nMB:0=20\n");
	ck_assert_int_eq(runtime_intel_rdt_join(&rdt, root, 42, &e), 0);
	has("web/tasks", "42");
	has("web/mon_groups/web/tasks", "42");
	unlinkat(root, "web/mon_groups/web/tasks", 0);
	unlinkat(root, "web/tasks", 0);
	unlinkat(root, "web/schemata", 0);
	/* the kernel removes mon_groups with the group */
	ck_assert_int_eq(runtime_intel_rdt_remove(&rdt, root, &e), -ENOTEMPTY);
	ck_assert_int_eq(faccessat(root, "web/mon_groups/web", F_OK, 0), -1);
	unlinkat(root, "web/mon_groups", AT_REMOVEDIR);
	ck_assert_int_eq(runtime_intel_rdt_remove(&rdt, root, &e), 0);
	ck_assert_int_eq(runtime_intel_rdt_remove(&rdt, root, &e), 0);
	ck_assert_int_eq(faccessat(root, "web", F_OK, 0), -1);
	remove_tree();
}
END_TEST

START_TEST(a_group_that_is_named_and_there_is_used_and_stays)
{
	char *lines[] = { "L3:1=1F", "MB:0=100", NULL };
	struct oci_intel_rdt spec = { .clos_id = "there", .schemata = { lines, 2 } };
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };
	struct err e;

	make_tree();
	int r = runtime_intel_rdt_make(&rdt, root, &spec, "web", &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_int_eq(runtime_intel_rdt_join(&rdt, root, 7, &e), 0);
	has("there/tasks", "7");
	ck_assert_int_eq(runtime_intel_rdt_remove(&rdt, root, &e), 0);
	ck_assert_int_eq(faccessat(root, "there", F_OK, 0), 0);
	remove_tree();
}
END_TEST

START_TEST(a_new_group_that_is_named_gets_its_schema)
{
	char *lines[] = { "L2:0=3", "L3:0=1", NULL };
	struct oci_intel_rdt spec = { .clos_id = "new",
				      .l3_cache_schema = "L3:0=f",
				      .schemata = { lines, 2 } };
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };
	struct err e;

	make_tree();
	ck_assert_int_eq(runtime_intel_rdt_make(&rdt, root, &spec, "web", &e), 0);
	ck_assert(!rdt.own && !rdt.monitor);
	/* two writes from the start of one file, the later one longer */
	has("new/schemata", "L2:0=3\nL3:0=1\n");
	remove_tree();
}
END_TEST

START_TEST(monitoring_alone_is_of_the_roots_group)
{
	struct oci_intel_rdt spec = { .enable_monitoring = true };
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };
	struct err e;

	make_tree();
	ck_assert_int_eq(runtime_intel_rdt_make(&rdt, root, &spec, "web", &e), 0);
	ck_assert_int_eq(faccessat(root, "mon_groups/web", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(root, "web", F_OK, 0), -1);
	ck_assert_int_eq(runtime_intel_rdt_remove(&rdt, root, &e), 0);
	ck_assert_int_eq(faccessat(root, "mon_groups/web", F_OK, 0), -1);
	remove_tree();
}
END_TEST

static const struct {
	struct oci_intel_rdt spec;
	int number;
	const char *error;
} bad[] = {
	{ { .clos_id = "missing" }, ENOENT, "linux.intelRdt.closID missing: no such group" },
	{ { .clos_id = "a/b" }, EINVAL, "closID 'a/b' is no name" },
	{ { .clos_id = ".." }, EINVAL, "closID '..' is no name" },
	{ { .clos_id = "info" }, EINVAL, "closID 'info' is resctrl's own" },
	{ { .clos_id = "there", .l3_cache_schema = "L3:0=1" },
	  EINVAL,
	  "closID there is there, with another schema than L3:0=1" },
	{ { .clos_id = "there", .mem_bw_schema = "MB:2=100" }, EINVAL, "another schema" },
};

START_TEST(a_schema_is_changed_later)
{
	const struct oci_intel_rdt spec = { .mem_bw_schema = "MB:0=30" };
	struct runtime_intel_rdt rdt = { .group = "there" };
	struct err e;

	make_tree();
	ck_assert_int_eq(runtime_intel_rdt_change(&rdt, root, &spec, &e), 0);
	own_free char *text = content("there/schemata");
	ck_assert_int_eq(strncmp(text, "MB:0=30\n", strlen("MB:0=30\n")), 0);
	rdt.group = "gone";
	ck_assert_int_lt(runtime_intel_rdt_change(&rdt, root, &spec, &e), 0);
	rdt.group = ".";
	ck_assert_int_lt(runtime_intel_rdt_change(&rdt, root, &spec, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	remove_tree();
}
END_TEST

START_TEST(what_cannot_be_had_is_refused_and_leaves_nothing)
{
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };
	struct err e;

	make_tree();
	ck_assert_int_eq(runtime_intel_rdt_make(&rdt, root, &bad[_i].spec, "web", &e),
			 -bad[_i].number);
	ck_assert_msg(strstr(e.text, bad[_i].error), "%s", e.text);
	ck_assert_ptr_null(rdt.group);
	ck_assert_int_eq(faccessat(root, "web", F_OK, 0), -1);
	remove_tree();
}
END_TEST

static const struct {
	const char *line;
	bool there;
} lines[] = {
	{ "L3:0=7f0;1=1f", true }, { "L3:1=01F", true },  { "MB:0=100;1=70", true },
	{ "MB:1=70", true },       { "L3:0=7f", false },  { "L3:2=7f0", false },
	{ "L2:0=7f0", false },     { "nonsense", false }, { "MB:0=10", false },
};

START_TEST(a_schema_is_compared_by_its_numbers)
{
	ck_assert(runtime_intel_rdt_schema_has(there, lines[_i].line) == lines[_i].there);
}
END_TEST

UNIT_MAIN("runtime/intel_rdt", UNIT(a_container_without_closid_has_a_group_of_its_own),
	  UNIT(a_group_that_is_named_and_there_is_used_and_stays),
	  UNIT(a_new_group_that_is_named_gets_its_schema),
	  UNIT(monitoring_alone_is_of_the_roots_group), UNIT(a_schema_is_changed_later),
	  UNIT_LOOP(what_cannot_be_had_is_refused_and_leaves_nothing, COUNT_OF(bad)),
	  UNIT_LOOP(a_schema_is_compared_by_its_numbers, COUNT_OF(lines)))
