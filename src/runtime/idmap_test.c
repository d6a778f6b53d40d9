#include "runtime/idmap.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

/* "0 100000 65536,65536 5 1" */
static void read_lines(struct oci_id_mappings *to, const char *text)
{
	unsigned container, host, size;

	for (int used; sscanf(text, "%u %u %u%n", &container, &host, &size, &used) == 3;) {
		runtime_idmap_add(to, container, host, size);
		text += used;
		text += *text == ',';
	}
}

static const struct {
	const char *lines;
	const char *error; /* NULL: good */
} checked[] = {
	{ "0 100000 65536" },
	{ "0 1000 1,1 100000 65536" },
	{ "0 0 4294967295" },
	{ "4294967294 4294967294 1" },
	{ "", "uidMappings: 0 mappings of ids, not 1 to 340" },
	{ "0 100000 0", "uidMappings[0]: the size is 0" },
	{ "0 4294967295 1", "uidMappings[0]: 0, 4294967295, size 1: goes beyond 4294967294" },
	{ "4294967295 0 1", "goes beyond 4294967294" },
	{ "0 4294967294 2", "goes beyond 4294967294" },
	{ "1 0 4294967295", "goes beyond 4294967294" },
	{ "0 100 10,9 200 10", "uidMappings[1]: gives ids of the container twice, at 0 and 9" },
	{ "0 100 10,10 109 10", "uidMappings[1]: gives ids of the host twice, at 100 and 109" },
	{ "5 100 1,0 200 10", "gives ids of the container twice" },
};

START_TEST(maps_are_checked_before_the_kernel_sees_them)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
	struct err e;

	read_lines(&ids.uids, checked[_i].lines);
	read_lines(&ids.gids, "0 100000 65536");
	int r = runtime_idmap_check(&ids, &e);
	if (checked[_i].error) {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_nonnull(strstr(e.text, checked[_i].error));
	} else {
		ck_assert_int_eq(r, 0);
	}
}
END_TEST

START_TEST(more_lines_than_the_kernel_takes_are_refused)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
	struct err e;

	read_lines(&ids.uids, "0 100000 65536");
	for (unsigned i = 0; i < RUNTIME_IDMAP_LINES_MAX + 1; i++)
		runtime_idmap_add(&ids.gids, i * 2, 100000 + i * 2, 1);
	ck_assert_int_lt(runtime_idmap_check(&ids, &e), 0);
	ck_assert_str_eq(e.text, "gidMappings: 341 mappings of ids, not 1 to 340");
}
END_TEST

START_TEST(an_id_is_found_in_its_line)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
	uint32_t host = 7;

	read_lines(&ids.uids, "0 1000 1,1 100000 10,4294967290 5 5");
	ck_assert(runtime_idmap_to_host(&host, &ids.uids, 0) && host == 1000);
	ck_assert(runtime_idmap_to_host(&host, &ids.uids, 10) && host == 100009);
	ck_assert(runtime_idmap_to_host(&host, &ids.uids, 4294967294) && host == 9);
	ck_assert(!runtime_idmap_to_host(&host, &ids.uids, 11));
	ck_assert(!runtime_idmap_to_host(&host, &ids.uids, 4294967295));
	ck_assert_uint_eq(host, 9);
}
END_TEST

static const struct {
	const char *text;
	const char *uids, *gids; /* as a map file has them */
	const char *error;
} words[] = {
	{ "uids=0-5-10;gids=1-6-10", "0 5 10\n", "1 6 10\n" },
	{ "uids=0-5-10#10-100-1;gids=0-5-11", "0 5 10\n10 100 1\n", "0 5 11\n" },
	{ "uids=@1-3-10;gids=@0-0-1", "1 4 10\n", "0 0 1\n" },
	{ "uids=@0-0-1#@1-1-1000", "0 0 1\n1 2 1000\n", "0 0 1\n1 2 1000\n" },
	{ "", "0 0 1\n1 2 1000\n", "0 0 1\n1 2 1000\n" },
	{ "uids=@0-0-2", .error = "uids: 0 and 1 after it are not in one mapping" },
	{ "uids=@0-1001-1", .error = "are not in one mapping" },
	{ "uids=@0-4294967294-4294967294", .error = "are not in one mapping" },
	{ "uids=0-0-0", .error = "the size is 0" },
	{ "uids=@0-0-0", .error = "the size is 0" },
	{ "uids=0-1-1#0-2-1", .error = "gives ids of the container twice" },
	{ "uids=0-1", .error = "uids: '0-1' is not FILE-HOST-SIZE" },
	{ "uids=0-1-1-1", .error = "is not FILE-HOST-SIZE" },
	{ "uids=", .error = NULL, .uids = "0 0 1\n1 2 1000\n", .gids = "0 0 1\n1 2 1000\n" },
	{ "uids=a-0-1", .error = "uids: 'a' is not a whole number" },
	{ "uids=0-4294967295-1", .error = "is more than 4294967294" },
	{ "uids=-1-0-1", .error = "is not FILE-HOST-SIZE" },
	{ "ids=0-0-1", .error = "'ids=0-0-1' is neither uids= nor gids=" },
	{ "uids=0-0-1;uids=1-1-1", .error = "uids: is there twice" },
};

START_TEST(the_option_idmap_is_read)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 }, container = { 0 };
	own_clear(str_clear) struct str uids = { 0 }, gids = { 0 };
	struct err e;

	/* crun(1), "idmap mount options", has this example */
	read_lines(&container.uids, "0 0 1,1 2 1000");
	read_lines(&container.gids, "0 0 1,1 2 1000");
	int r = runtime_idmap_parse(&ids, words[_i].text, &container, &e);
	if (words[_i].error) {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_nonnull(strstr(e.text, words[_i].error));
		return;
	}
	ck_assert_int_eq(r, 0);
	runtime_idmap_format(&uids, &ids.uids);
	runtime_idmap_format(&gids, &ids.gids);
	ck_assert_str_eq(uids.text, words[_i].uids);
	ck_assert_str_eq(gids.text, words[_i].gids);
}
END_TEST

START_TEST(without_a_container_both_maps_must_be_named)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_idmap_parse(&ids, "uids=0-1-1", NULL, &e), 0);
	ck_assert_str_eq(e.text, "gidMappings: 0 mappings of ids, not 1 to 340");
}
END_TEST

UNIT_MAIN("runtime/idmap",
	  UNIT_LOOP(maps_are_checked_before_the_kernel_sees_them, COUNT_OF(checked)),
	  UNIT(more_lines_than_the_kernel_takes_are_refused), UNIT(an_id_is_found_in_its_line),
	  UNIT_LOOP(the_option_idmap_is_read, COUNT_OF(words)),
	  UNIT(without_a_container_both_maps_must_be_named))
