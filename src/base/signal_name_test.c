#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "base/signal_name.h"
#include "base/unit.h"

static const struct {
	const char *text;
	int number;
} accepted[] = {
	{ "SIGTERM", SIGTERM }, { "TERM", SIGTERM }, { "term", SIGTERM },  { "sigHup", SIGHUP },
	{ "15", 15 },           { "64", 64 },        { "1", 1 },           { "RTMIN", 34 },
	{ "RTMIN+3", 37 },      { "CHLD", SIGCHLD }, { "SIGRTMIN+3", 37 }, { "rtmax-1", 63 },
};

START_TEST(a_signal_is_known_by_name_and_number)
{
	int number = 0;
	struct err e;

	ck_assert_int_eq(signal_name_parse(&number, accepted[_i].text, &e), 0);
	ck_assert_int_eq(number, accepted[_i].number);
}
END_TEST

static const char *const refused[] = { "",         "0",         "65",       "-1",      "SIG",
				       "SIG15",    "TERMX",     "RTMIN+99", "RTMIN-1", "RTMAX+1",
				       "RTMIN+",   "15 ",       " 15",      "0x0f",    "4294967311",
				       "RTMIN+3x", "SIGSIGTERM" };

START_TEST(what_is_no_signal_is_refused)
{
	int number = 77;
	struct err e;

	ck_assert_int_lt(signal_name_parse(&number, refused[_i], &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_eq(number, 77);
}
END_TEST

START_TEST(every_number_has_a_name_that_leads_back)
{
	for (int i = 1; i <= SIGRTMAX; i++) {
		char name[SIGNAL_NAME_SIZE];
		int number = 0;
		struct err e;
		if (!signal_name(i, name)) {
			/* the two that the C library keeps for its threads */
			ck_assert(i == 32 || i == 33);
			continue;
		}
		ck_assert_int_eq(signal_name_parse(&number, name, &e), 0);
		ck_assert_int_eq(number, i);
	}
	char name[SIGNAL_NAME_SIZE];
	ck_assert_str_eq(signal_name(SIGABRT, name), "SIGABRT");
	ck_assert_ptr_null(signal_name(0, name));
	ck_assert_ptr_null(signal_name(65, name));
}
END_TEST

UNIT_MAIN("base/signal_name", UNIT_LOOP(a_signal_is_known_by_name_and_number, 12),
	  UNIT_LOOP(what_is_no_signal_is_refused, 17),
	  UNIT(every_number_has_a_name_that_leads_back))
