#include "runtime/number_list.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

static const struct {
	const char *text;
	size_t count;
	unsigned long first, second; /* words of bits */
} good[] = {
	{ "", 0, 0, 0 },
	{ "0", 1, 1, 0 },
	{ "0-3,7", 5, 0x8f, 0 },
	{ "1,1,1-2", 2, 6, 0 },
	{ "63-64", 2, 1UL << 63, 1 },
	{ "8191", 1, 0, 0 },
};

START_TEST(bits_become_a_list)
{
	static const char *const texts[] = { "0", "0-1", "0-3,7,62-65", "8191", "" };

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		own_clear(str_clear) struct str text = { 0 };
		struct runtime_number_list list;
		struct err e;
		ck_assert_int_eq(runtime_number_list_parse(&list, texts[i], "m", &e), 0);
		runtime_number_list_format(&text, &list);
		ck_assert_str_eq(text.text ? text.text : "", texts[i]);
	}
}
END_TEST

START_TEST(a_list_becomes_bits)
{
	struct runtime_number_list list;
	struct err e;

	ck_assert_int_eq(runtime_number_list_parse(&list, good[_i].text, "m", &e), 0);
	ck_assert_uint_eq(list.count, good[_i].count);
	ck_assert_uint_eq(list.bits[0], good[_i].first);
	ck_assert_uint_eq(list.bits[1], good[_i].second);
}
END_TEST

static const char *const bad[] = {
	",",      "1,", "-",   "1-",    "-1", "3-1", "8192",
	"0-8192", "a",  "0x1", "1-2-3", "1 ", "+1",  "18446744073709551616"
};

START_TEST(what_is_no_list_is_refused_with_its_member)
{
	struct runtime_number_list list = { .count = 77 };
	struct err e;

	ck_assert_int_eq(runtime_number_list_parse(&list, bad[_i], "cpus.of", &e), -EINVAL);
	ck_assert_uint_eq(list.count, 77);
	ck_assert_msg(e.kind == ERR_INVALID && !strncmp(e.text, "cpus.of '", 9), "%s", e.text);
}
END_TEST

UNIT_MAIN("runtime/number_list", UNIT(bits_become_a_list),
	  UNIT_LOOP(a_list_becomes_bits, COUNT_OF(good)),
	  UNIT_LOOP(what_is_no_list_is_refused_with_its_member, COUNT_OF(bad)))
