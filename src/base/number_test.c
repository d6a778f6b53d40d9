#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/unit.h"

enum { UNTOUCHED = -77 };

typedef int (*parser)(int64_t *ret, const char *text, struct err *e);

static const struct {
	parser parse;
	const char *text;
	int64_t value;
} good[] = {
	{ number_parse_bytes, "100", 100 },
	{ number_parse_bytes, "0", 0 },
	{ number_parse_bytes, "1b", 1 },
	{ number_parse_bytes, "1k", 1024 },
	{ number_parse_bytes, "1kb", 1024 },
	{ number_parse_bytes, "1KiB", 1024 },
	{ number_parse_bytes, "512m", 512LL << 20 },
	{ number_parse_bytes, "1.5g", 3LL << 29 },
	{ number_parse_bytes, "2t", 2LL << 40 },
	{ number_parse_bytes, "0.1m", 104857 },
	{ number_parse_bytes, "9223372036854775807", INT64_MAX },
	{ number_parse_duration_ns, "30", 30000000000 },
	{ number_parse_duration_ns, "0", 0 },
	{ number_parse_duration_ns, "1h30m", 5400000000000 },
	{ number_parse_duration_ns, "1.5s", 1500000000 },
	{ number_parse_duration_ns, "300ms", 300000000 },
	{ number_parse_duration_ns, "10us", 10000 },
	{ number_parse_duration_ns, "10\xc2\xb5s", 10000 },
	{ number_parse_duration_ns, "7ns", 7 },
	{ number_parse_nanocpus, "1.5", 1500000000 },
	{ number_parse_nanocpus, "0.000000001", 1 },
	{ number_parse_nanocpus, "2", 2000000000 },
	{ number_parse_nanocpus, ".5", 500000000 },
	{ number_parse_bytes, ".5g", 1LL << 29 },
};

START_TEST(what_people_write_is_understood)
{
	struct err e = { 0 };
	int64_t value = UNTOUCHED;

	ck_assert_msg(good[_i].parse(&value, good[_i].text, &e) == 0, "%s", e.text);
	ck_assert_int_eq(value, good[_i].value);
}
END_TEST

static const struct {
	parser parse;
	const char *text;
} bad[] = {
	{ number_parse_bytes, "" },
	{ number_parse_bytes, "-1" },
	{ number_parse_bytes, "+1" },
	{ number_parse_bytes, " 1" },
	{ number_parse_bytes, "1 " },
	{ number_parse_bytes, "m" },
	{ number_parse_bytes, "1x" },
	{ number_parse_bytes, "1mm" },
	{ number_parse_bytes, "1.5.2g" },
	{ number_parse_bytes, "5.g" },
	{ number_parse_bytes, "0x10" },
	{ number_parse_bytes, "1e3" },
	{ number_parse_bytes, "9223372036854775808" },
	{ number_parse_bytes, "8192p" },
	{ number_parse_bytes, "99999999999999999999999999999999" },
	{ number_parse_duration_ns, "" },
	{ number_parse_duration_ns, "-1s" },
	{ number_parse_duration_ns, "1s5" },
	{ number_parse_duration_ns, "s" },
	{ number_parse_duration_ns, "1d" },
	{ number_parse_duration_ns, "9999999h" },
	{ number_parse_nanocpus, "" },
	{ number_parse_nanocpus, "0.0000000001" },
	{ number_parse_nanocpus, "1cpu" },
	{ number_parse_nanocpus, "-0.5" },
	{ number_parse_nanocpus, "inf" },
};

START_TEST(what_is_no_number_is_refused_and_named)
{
	struct err e = { 0 };
	int64_t value = UNTOUCHED;

	ck_assert_int_lt(bad[_i].parse(&value, bad[_i].text, &e), 0);
	ck_assert_int_eq(value, UNTOUCHED);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i].text));
}
END_TEST

static const char *const bad_ids[] = { "4294967295", "4294967296", "18446744073709551616",
				       "-1",         "",           "0x0",
				       "1 ",         "root" };

START_TEST(an_id_that_wraps_to_root_is_refused)
{
	struct err e;
	uint32_t id = 7;

	ck_assert_int_lt(number_parse_id(&id, bad_ids[_i], &e), 0);
	ck_assert_uint_eq(id, 7);
}
END_TEST

START_TEST(ids_go_up_to_the_last_but_one)
{
	struct err e;
	uint32_t id;

	ck_assert_int_eq(number_parse_id(&id, "4294967294", &e), 0);
	ck_assert_uint_eq(id, 4294967294U);
	ck_assert_int_eq(number_parse_id(&id, "0", &e), 0);
	ck_assert_uint_eq(id, 0);
}
END_TEST

START_TEST(signed_numbers_keep_to_their_range)
{
	struct err e;
	int64_t value = UNTOUCHED;

	ck_assert_int_eq(number_parse_i64(&value, "-1000", -1000, 1000, &e), 0);
	ck_assert_int_eq(value, -1000);
	ck_assert_int_lt(number_parse_i64(&value, "-1001", -1000, 1000, &e), 0);
	ck_assert_int_lt(number_parse_i64(&value, "1001", -1000, 1000, &e), 0);
	ck_assert_int_lt(number_parse_i64(&value, "--1", -1000, 1000, &e), 0);
	ck_assert_int_eq(number_parse_i64(&value, "-9223372036854775808", INT64_MIN, INT64_MAX, &e),
			 0);
	ck_assert_int_eq(value, INT64_MIN);
	ck_assert_int_lt(number_parse_i64(&value, "-9223372036854775809", INT64_MIN, INT64_MAX, &e),
			 0);
	ck_assert_int_eq(value, INT64_MIN);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{ 0, "0B" },         { 999, "999B" },   { 1000, "1kB" },        { 1500, "1.5kB" },
	{ 999499, "999kB" }, { 999500, "1MB" }, { 23400000, "23.4MB" }, { UINT64_MAX, "18.4EB" },
};

START_TEST(sizes_are_printed_as_docker_prints_them)
{
	char text[16];

	number_format_bytes(text, sizes[_i].bytes);
	ck_assert_str_eq(text, sizes[_i].text);
}
END_TEST

UNIT_MAIN("base/number", UNIT_LOOP(what_people_write_is_understood, COUNT_OF(good)),
	  UNIT_LOOP(what_is_no_number_is_refused_and_named, COUNT_OF(bad)),
	  UNIT_LOOP(an_id_that_wraps_to_root_is_refused, COUNT_OF(bad_ids)),
	  UNIT(ids_go_up_to_the_last_but_one), UNIT(signed_numbers_keep_to_their_range),
	  UNIT_LOOP(sizes_are_printed_as_docker_prints_them, COUNT_OF(sizes)))
