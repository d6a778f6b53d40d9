#include "runtime/subid.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "runtime/subid_service.h"

static const struct runtime_subid_owner me = { "me", "1000" };

START_TEST(ranges_are_found_by_name_and_by_number)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	own_clear(runtime_subid_clear) struct runtime_subid_ranges others = { 0 };
	const char *text = "you:100000:65536\nme:165536:65536\n1000:300000:10\n10000:7:7\nmee:8:8";

	runtime_subid_parse(&ranges, text, &me, false);
	ck_assert_uint_eq(ranges.count, 2);
	ck_assert_uint_eq(ranges.items[0].first, 165536);
	ck_assert_uint_eq(ranges.items[0].count, 65536);
	ck_assert_uint_eq(ranges.items[1].first, 300000);
	ck_assert_uint_eq(ranges.items[1].count, 10);
	runtime_subid_parse(&others, text, &me, true);
	ck_assert_uint_eq(others.count, 3);
	ck_assert_uint_eq(others.items[2].first, 8);
}
END_TEST

static const struct {
	const char *text, *service;
} nsswitches[] = {
	{ "", NULL },
	{ "passwd: files\n", NULL },
	{ "subid: files\n", NULL },
	{ "subid:\n", NULL },
	{ "#subid: sss\n", NULL },
	{ "passwd: files\nsubid:\tsss files\nshadow: files", "sss" },
	{ "subid:sss#x", "sss" },
	{ "subid: filesystem", "filesystem" },
};

START_TEST(nsswitch_names_the_service)
{
	own_free char *service = runtime_subid_service_parse(nsswitches[_i].text);

	ck_assert_pstr_eq(service, nsswitches[_i].service);
}
END_TEST

START_TEST(what_getsubids_says_is_ranges)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };

	runtime_subid_service_parse_answer(&ranges, "0: me 100000 65536\n1: me 5 1\n"
						    "2: me 4294967290 10\n3: me 7 0\nno\n");
	ck_assert_uint_eq(ranges.count, 2);
	ck_assert_uint_eq(ranges.items[0].first, 100000);
	ck_assert_uint_eq(ranges.items[1].count, 1);
	ck_assert_uint_eq(ranges.broken, 3);
}
END_TEST

/* Each of these alone gives nothing. */
static const char *const bad[] = {
	"",
	"\n\n",
	"me",
	"me:1",
	"me:1:",
	"me::1",
	"me:1:0",
	"me:4294967295:1",
	"me:4294967294:2",
	"me:1:4294967295",
	"me:-1:5",
	"me:+1:5",
	"me: 1:5",
	"me:0x10:5",
	"me:1:5:6",
	"me:18446744073709551617:5",
	":1:5",
	"#me:1:5",
	"ME:1:5",
};

START_TEST(a_line_that_is_none_is_passed_over)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	str_addf(&text, "%s\nme:5:6\n", bad[_i]);
	runtime_subid_parse(&ranges, bad[_i], &me, false);
	ck_assert_uint_eq(ranges.count, 0);
	runtime_subid_parse(&ranges, text.text, &me, false);
	ck_assert_uint_eq(ranges.count, 1);
	ck_assert_uint_eq(ranges.items[0].first, 5);
}
END_TEST

START_TEST(broken_lines_of_the_owner_are_counted)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	const char *text = "me:5:6\nme:7\nyou:7\n1000:x:3\n\n#me:1:2\nme:1:0\n";

	runtime_subid_parse(&ranges, text, &me, false);
	ck_assert_uint_eq(ranges.count, 1);
	ck_assert_uint_eq(ranges.broken, 3);
}
END_TEST

START_TEST(the_last_ids_are_ids)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };

	runtime_subid_parse(&ranges, "me:4294967294:1\nme:0:4294967294", &me, false);
	ck_assert_uint_eq(ranges.count, 2);
}
END_TEST

START_TEST(a_long_file_is_read_to_its_end)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	for (unsigned i = 0; i < 10000; i++)
		str_addf(&text, "user%u:%u:65536\n", i, 100000 + i);
	for (unsigned i = 0; i < 4096; i++)
		str_add(&text, "me:");
	str_add(&text, "1:1\nme:7:8\n");
	runtime_subid_parse(&ranges, text.text, &me, false);
	ck_assert_uint_eq(ranges.count, 1);
	ck_assert_uint_eq(ranges.items[0].first, 7);
}
END_TEST

START_TEST(more_ranges_than_anybody_needs_are_passed_over)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	for (unsigned i = 0; i < RUNTIME_SUBID_RANGES_MAX + 10; i++)
		str_addf(&text, "me:%u:1\n", i);
	runtime_subid_parse(&ranges, text.text, &me, false);
	ck_assert_uint_eq(ranges.count, RUNTIME_SUBID_RANGES_MAX);
}
END_TEST

START_TEST(a_file_that_is_not_there_gives_nothing)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	struct err e;

	ck_assert_int_eq(runtime_subid_read(&ranges, "/nowhere/subuid", &me, false, &e), 0);
	ck_assert_uint_eq(ranges.count, 0);
	ck_assert_int_lt(runtime_subid_read(&ranges, "/etc", &me, false, &e), 0);
}
END_TEST

START_TEST(the_login_name_of_root_is_root)
{
	own_free char *root = runtime_subid_login_name(0);
	own_free char *nobody = runtime_subid_login_name(4294967294);

	ck_assert_str_eq(root, "root");
	ck_assert_ptr_null(nobody);
}
END_TEST

UNIT_MAIN("runtime/subid", UNIT(ranges_are_found_by_name_and_by_number),
	  UNIT_LOOP(a_line_that_is_none_is_passed_over, sizeof(bad) / sizeof(bad[0])),
	  UNIT(broken_lines_of_the_owner_are_counted), UNIT(a_long_file_is_read_to_its_end),
	  UNIT(the_last_ids_are_ids), UNIT(a_long_file_is_read_to_its_end),
	  UNIT(more_ranges_than_anybody_needs_are_passed_over),
	  UNIT(a_file_that_is_not_there_gives_nothing), UNIT(the_login_name_of_root_is_root),
	  UNIT_LOOP(nsswitch_names_the_service, sizeof(nsswitches) / sizeof(nsswitches[0])),
	  UNIT(what_getsubids_says_is_ranges))
