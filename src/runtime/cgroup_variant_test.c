#include "runtime/cgroup_variant.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

/* The bytes in hexadecimal: signature, then the value, aligned from the start. NULL: refused. */
static const struct {
	const char *text;
	bool seconds;
	const char *bytes;
} cases[] = {
	{ "true", false, "01 62 00 00 01 00 00 00" },
	{ "false", false, "01 62 00 00 00 00 00 00" },
	{ "5", false, "01 69 00 00 05 00 00 00" },
	{ "-5", false, "01 69 00 00 fb ff ff ff" },
	{ "uint32 5", false, "01 75 00 00 05 00 00 00" },
	{ "byte 255", false, "01 79 00 ff" },
	{ "int16 -1", false, "01 6e 00 00 ff ff" },
	{ "uint64 18446744073709551615", false, "01 74 00 00 00 00 00 00 ff ff ff ff ff ff ff ff" },
	{ "0.5", false, "01 64 00 00 00 00 00 00 00 00 00 00 00 00 e0 3f" },
	{ "'ab'", false, "01 73 00 00 02 00 00 00 61 62 00" },
	{ "\"a'b\"", false, "01 73 00 00 03 00 00 00 61 27 62 00" },
	{ "'a\\'b'", false, "01 73 00 00 03 00 00 00 61 27 62 00" },
	{ "objectpath '/a'", false, "01 6f 00 00 02 00 00 00 2f 61 00" },
	{ "[uint32 1, 2]", false, "02 61 75 00 08 00 00 00 01 00 00 00 02 00 00 00" },
	{ "['a', 'b']", false,
	  "02 61 73 00 0e 00 00 00 01 00 00 00 61 00 00 00 01 00 00 00 62 00" },
	{ " 7 ", false, "01 69 00 00 07 00 00 00" },
	{ "90", true, "01 74 00 00 00 00 00 00 80 4a 5d 05 00 00 00 00" },
	{ "uint64 90", true, "01 74 00 00 00 00 00 00 80 4a 5d 05 00 00 00 00" },
	{ "0.5", true, "01 74 00 00 00 00 00 00 20 a1 07 00 00 00 00 00" },
	{ "'90'", true, NULL },
	{ "-1", true, NULL },
	{ "true", true, NULL },
	{ "", false, NULL },
	{ "tru", false, NULL },
	{ "trueish", false, NULL },
	{ "byte 256", false, NULL },
	{ "uint32 -1", false, NULL },
	{ "int32 2147483648", false, NULL },
	{ "5 6", false, NULL },
	{ "'open", false, NULL },
	{ "'open\\", false, NULL },
	{ "[]", false, NULL },
	{ "[1, 'a']", false, NULL },
	{ "[1, 2", false, NULL },
	{ "[1, 2] 3", false, NULL },
	{ "uint64", false, NULL },
	{ "{'a': 1}", false, NULL },
};

START_TEST(values_become_variants)
{
	own_clear(str_clear) struct str body = { 0 };
	own_clear(str_clear) struct str hex = { 0 };
	struct err e = { 0 };

	int r = runtime_cgroup_variant_add(&body, cases[_i].text, cases[_i].seconds, &e);
	if (!cases[_i].bytes) {
		ck_assert_msg(r < 0, "%s was taken", cases[_i].text);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", cases[_i].text, e.text);
	for (size_t i = 0; i < body.length; i++)
		str_addf(&hex, "%s%02x", i ? " " : "", (unsigned char)body.text[i]);
	ck_assert_str_eq(hex.text, cases[_i].bytes);
}
END_TEST

UNIT_MAIN("runtime/cgroup_variant", UNIT_LOOP(values_become_variants, COUNT_OF(cases)))
