#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"

START_TEST(a_list_serves_as_argv)
{
	own_clear(strv_clear) struct strv v = { 0 };

	ck_assert_ptr_null(v.items);
	strv_add(&v, "echo");
	strv_addf(&v, "%d", 7);
	strv_add_take(&v, mem_text("x"));
	ck_assert_uint_eq(v.count, 3);
	ck_assert_str_eq(v.items[1], "7");
	ck_assert_ptr_null(v.items[3]);
	strv_remove(&v, 0);
	ck_assert_str_eq(v.items[0], "7");
	ck_assert_ptr_null(v.items[2]);
	ck_assert(strv_contains(&v, "x") && !strv_contains(&v, "echo"));
}
END_TEST

START_TEST(an_environment_is_found_by_whole_keys)
{
	own_clear(strv_clear) struct strv v = { 0 };

	strv_add(&v, "PATHS=no");
	strv_add(&v, "PATH=/bin");
	strv_add(&v, "EMPTY=");
	strv_add(&v, "BARE");
	ck_assert_int_eq(strv_find_key(&v, "PATH"), 1);
	ck_assert_int_eq(strv_find_key(&v, "PATH=other"), 1);
	ck_assert_int_eq(strv_find_key(&v, "PAT"), -1);
	ck_assert_int_eq(strv_find_key(&v, "BARE"), 3);
	ck_assert_str_eq(strv_value(&v, "PATH"), "/bin");
	ck_assert_str_eq(strv_value(&v, "EMPTY"), "");
	ck_assert_ptr_null(strv_value(&v, "NONE"));
}
END_TEST

START_TEST(setting_replaces_in_place)
{
	own_clear(strv_clear) struct strv v = { 0 };

	strv_set(&v, "A=1");
	strv_set(&v, "B=2");
	strv_set(&v, "A=3");
	ck_assert_uint_eq(v.count, 2);
	ck_assert_str_eq(v.items[0], "A=3");
}
END_TEST

static const struct {
	const char *text;
	const char *joined;
	size_t count;
} splits[] = {
	{ "", "", 0 },     { "a", "a", 1 },   { "a:b", "a|b", 2 },   { ":", "|", 2 },
	{ "a:", "a|", 2 }, { ":a", "|a", 2 }, { "a::b", "a||b", 3 },
};

START_TEST(splitting_keeps_empty_parts)
{
	own_clear(strv_clear) struct strv v = { 0 };

	strv_split(&v, splits[_i].text, ':');
	own_free char *joined = strv_join(&v, "|");
	ck_assert_uint_eq(v.count, splits[_i].count);
	ck_assert_str_eq(joined, splits[_i].joined);
}
END_TEST

START_TEST(one_list_goes_behind_another)
{
	own_clear(strv_clear) struct strv v = { 0 };
	own_clear(strv_clear) struct strv more = { 0 };

	strv_add(&v, "a");
	strv_split(&more, "b,c", ',');
	strv_add_all(&v, &more);
	own_free char *joined = strv_join(&v, ", ");
	ck_assert_str_eq(joined, "a, b, c");
	ck_assert_uint_eq(more.count, 2);
}
END_TEST

UNIT_MAIN("base/strv", UNIT(a_list_serves_as_argv), UNIT(an_environment_is_found_by_whole_keys),
	  UNIT(setting_replaces_in_place), UNIT_LOOP(splitting_keeps_empty_parts, COUNT_OF(splits)),
	  UNIT(one_list_goes_behind_another))
