#include "engine/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

static const char *const good[] = { "a", "web", "web.1-a_B", "0", "A-" };
static const char *const bad[] = { "", "-a", ".a", "_a", "a/b", "../x", "a b", "a\n", "\xc3\xa4" };

START_TEST(names_are_dockers)
{
	struct err e;
	ck_assert_int_eq(engine_name_check(good[_i], &e), 0);
}
END_TEST

START_TEST(other_names_are_refused)
{
	struct err e;
	ck_assert_int_lt(engine_name_check(bad[_i], &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

START_TEST(the_length_is_bounded)
{
	char name[CONTAINER_NAME_MAX + 2];
	struct err e;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_lt(engine_name_check(name, &e), 0);
	name[CONTAINER_NAME_MAX] = '\0';
	ck_assert_int_eq(engine_name_check(name, &e), 0);
}
END_TEST

START_TEST(generated_names_are_names)
{
	for (unsigned i = 0; i < 2000; i++) {
		own_free char *name = engine_name_generate(i % 3);
		struct err e;
		ck_assert_int_eq(engine_name_check(name, &e), 0);
	}
}
END_TEST

START_TEST(ids_are_hex_and_differ)
{
	char a[CONTAINER_ID_LENGTH + 1], b[CONTAINER_ID_LENGTH + 1];

	engine_id_generate(a);
	engine_id_generate(b);
	ck_assert_uint_eq(strlen(a), CONTAINER_ID_LENGTH);
	ck_assert(engine_id_is_prefix(a));
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(a_prefix_is_lower_case_hex)
{
	ck_assert(engine_id_is_prefix("0af"));
	ck_assert(!engine_id_is_prefix(""));
	ck_assert(!engine_id_is_prefix("0AF"));
	ck_assert(!engine_id_is_prefix("xyz"));
}
END_TEST

UNIT_MAIN("engine/name", UNIT_LOOP(names_are_dockers, COUNT_OF(good)),
	  UNIT_LOOP(other_names_are_refused, COUNT_OF(bad)), UNIT(the_length_is_bounded),
	  UNIT(generated_names_are_names), UNIT(ids_are_hex_and_differ),
	  UNIT(a_prefix_is_lower_case_hex))
