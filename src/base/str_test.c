#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

START_TEST(a_buffer_grows_and_stays_closed)
{
	own_clear(str_clear) struct str s = { 0 };

	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%d,", i % 10);
	ck_assert_uint_eq(s.length, 2000);
	ck_assert_uint_eq(strlen(s.text), 2000);
	str_add_n(&s, "a\0b", 3);
	str_add_char(&s, 'c');
	ck_assert_uint_eq(s.length, 2004);
	ck_assert_int_eq(memcmp(s.text + 2000, "a\0bc", 5), 0);
}
END_TEST

START_TEST(what_is_taken_is_the_callers)
{
	own_clear(str_clear) struct str s = { 0 };
	own_free char *nothing = str_take(&s);

	ck_assert_str_eq(nothing, "");
	str_add(&s, "text");
	own_free char *text = str_take(&s);
	ck_assert_str_eq(text, "text");
	ck_assert_ptr_null(s.text);
	ck_assert_uint_eq(s.length, 0);
}
END_TEST

START_TEST(room_is_there_before_it_is_used)
{
	own_clear(str_clear) struct str s = { 0 };

	memset(str_room(&s, 100000), 'x', 100000);
	s.length += 100000;
	str_add(&s, "!");
	ck_assert_uint_eq(strlen(s.text), 100001);
}
END_TEST

START_TEST(texts_compare)
{
	ck_assert(str_equal(NULL, NULL) && str_equal("a", "a"));
	ck_assert(!str_equal(NULL, "") && !str_equal("a", "b"));
	ck_assert(str_starts("abc", "ab") && str_starts("abc", "") && !str_starts("a", "ab"));
	ck_assert(str_ends("abc", "bc") && str_ends("abc", "") && !str_ends("c", "bc"));
	ck_assert(str_empty(NULL) && str_empty("") && !str_empty(" "));
}
END_TEST

START_TEST(a_name_is_letters_digits_and_marks_within)
{
	ck_assert(str_is_name("a", 1));
	ck_assert(str_is_name("7.b_c-d", 128));
	ck_assert(!str_is_name("", 128));
	ck_assert(!str_is_name("ab", 1));
	ck_assert(!str_is_name(".a", 128));
	ck_assert(!str_is_name("-a", 128));
	ck_assert(!str_is_name("a/b", 128));
	ck_assert(!str_is_name("a b", 128));
	ck_assert(!str_is_name("\xc3\xa4", 128));
}
END_TEST

START_TEST(a_field_may_be_replaced_by_a_part_of_itself)
{
	char *field = mem_text("prefix-rest");

	mem_replace(&field, field + 7);
	ck_assert_str_eq(field, "rest");
	mem_replace(&field, NULL);
	ck_assert_ptr_null(field);
}
END_TEST

UNIT_MAIN("base/str", UNIT(a_buffer_grows_and_stays_closed), UNIT(what_is_taken_is_the_callers),
	  UNIT(room_is_there_before_it_is_used), UNIT(texts_compare),
	  UNIT(a_name_is_letters_digits_and_marks_within),
	  UNIT(a_field_may_be_replaced_by_a_part_of_itself))
