#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/unit.h"

static const struct {
	const char *text;
	int64_t ns;
	const char *again;
} good[] = {
	{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
	{ "2026-11-22T12:00:00.123456789Z", 1795348800123456789, NULL },
	{ "2026-11-22T17:30:00+05:30", 1795348800000000000, "2026-11-22T12:00:00Z" },
	{ "2026-11-22T06:00:00.5-06:00", 1795348800500000000, "2026-11-22T12:00:00.5Z" },
	{ "2024-02-29T00:00:00z", 1709164800000000000, "2024-02-29T00:00:00Z" },
	{ "1969-12-31T23:59:59.9Z", -100000000, NULL },
	{ "1700000000", 1700000000000000000, "2023-11-14T22:13:20Z" },
	{ "1700000000.25", 1700000000250000000, "2023-11-14T22:13:20.25Z" },
	{ "2262-04-11T23:47:16.854775807Z", INT64_MAX, NULL },
	{ "1677-09-21T00:12:43.145224192Z", INT64_MIN, NULL },
};

START_TEST(a_time_is_read_and_written_back)
{
	char text[MOMENT_TEXT_SIZE];
	struct err e = { 0 };
	int64_t ns;

	ck_assert_msg(moment_parse(&ns, good[_i].text, &e) == 0, "%s", e.text);
	ck_assert_int_eq(ns, good[_i].ns);
	moment_format(text, ns);
	ck_assert_str_eq(text, good[_i].again ? good[_i].again : good[_i].text);
}
END_TEST

START_TEST(each_day_has_the_date_that_libc_gives_it)
{
	for (int64_t day = -106000; day < 106000; day++) {
		char text[MOMENT_TEXT_SIZE], expected[MOMENT_TEXT_SIZE];
		time_t second = (time_t)(day * 86400 + 86399);
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
		moment_format(text, second * INT64_C(1000000000));
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

static const char *const bad[] = {
	"",
	"now",
	"2026-11-22",
	"2026- 1-01T00:00:00Z",
	"2026-13-01T00:00:00Z",
	"2026-00-01T00:00:00Z",
	"2026-02-30T00:00:00Z",
	"2025-02-29T00:00:00Z",
	"2026-01-01T24:00:00Z",
	"2026-01-01T00:60:00Z",
	"2026-01-01T00:00:61Z",
	"2026-01-01T00:00:00.Z",
	"2026-01-01T00:00:00+5:30",
	"2026-01-01T00:00:00+05:60",
	"2026-01-01T00:00:00Z ",
	" 2026-01-01T00:00:00Z",
	"0001-01-01T00:00:00Z",
	"9999-12-31T23:59:59Z",
	"1.",
	"-1",
	"9223372037",
	"99999999999999999999",
};

START_TEST(what_is_no_time_is_refused)
{
	struct err e = { 0 };
	int64_t ns = 7;

	ck_assert_int_lt(moment_parse(&ns, bad[_i], &e), 0);
	ck_assert_int_eq(ns, 7);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i]));
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} spans[] = {
	{ 0, "Less than a second" },  { 1, "1 second" },
	{ 59, "59 seconds" },         { 60, "About a minute" },
	{ 120, "2 minutes" },         { 3600, "About an hour" },
	{ 7200, "2 hours" },          { 48 * 3600LL, "2 days" },
	{ 14 * 86400LL, "2 weeks" },  { 60 * 86400LL, "2 months" },
	{ 800 * 86400LL, "2 years" },
};

START_TEST(a_span_is_worded_as_docker_words_it)
{
	char text[32];

	moment_format_span(text, spans[_i].seconds * 1000000000);
	ck_assert_str_eq(text, spans[_i].text);
}
END_TEST

START_TEST(the_clocks_go_forward)
{
	int64_t before = moment_monotonic_ns();

	ck_assert_int_gt(moment_now_ns(), 1700000000000000000);
	ck_assert_int_ge(moment_monotonic_ns(), before);
}
END_TEST

UNIT_MAIN("base/moment", UNIT_LOOP(a_time_is_read_and_written_back, COUNT_OF(good)),
	  UNIT(each_day_has_the_date_that_libc_gives_it),
	  UNIT_LOOP(what_is_no_time_is_refused, COUNT_OF(bad)),
	  UNIT_LOOP(a_span_is_worded_as_docker_words_it, COUNT_OF(spans)),
	  UNIT(the_clocks_go_forward))
