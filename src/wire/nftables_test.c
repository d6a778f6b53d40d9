#include "wire/nftables.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/unit.h"

static int parse(struct wire_nftables_element **ret, const char *text)
{
	struct err e;

	return wire_nftables_parse(ret, text, &e);
}

START_TEST(elements_are_written_and_read_again)
{
	static const char text[] = "ports4 060000001f900000 0a63000200500000\n"
				   "judged4 060000001f900000\n";
	own_free struct wire_nftables_element *elements = NULL;

	ck_assert_int_eq(parse(&elements, text), 2);
	ck_assert_str_eq(elements[0].set, "ports4");
	ck_assert_uint_eq(elements[0].key_length, 8);
	ck_assert_uint_eq(elements[0].key[5], 0x90);
	ck_assert_uint_eq(elements[0].data_length, 8);
	ck_assert_uint_eq(elements[1].data_length, 0);
	own_free char *again = wire_nftables_format(elements, 2);
	ck_assert_str_eq(again, text);
}
END_TEST

START_TEST(what_is_no_element_is_refused)
{
	static const char *const texts[] = {
		"ports4\n",
		"ports4 06\n06",
		"ports4 0\n",
		"ports4 06 0\n",
		"a_name_that_is_too_long 06\n",
		"ports4 xx\n",
		"ports4 06 06 06\n",
		"ports4 00000000000000000000000000000000000000000000000000\n",
		" 06\n",
	};
	struct wire_nftables_element *none = NULL;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(parse(&none, texts[i]) < 0, "%s", texts[i]);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(no_line_is_no_element)
{
	own_free struct wire_nftables_element *elements = NULL;

	ck_assert_int_eq(parse(&elements, ""), 0);
}
END_TEST

UNIT_MAIN("wire/nftables", UNIT(elements_are_written_and_read_again),
	  UNIT(what_is_no_element_is_refused), UNIT(no_line_is_no_element))
