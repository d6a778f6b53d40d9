#include "base/unit.h"
#include "monitor/config.h"
#include "monitor/restart.h"

static const struct {
	const char *policy;
	int64_t max_retries;
	int code;
	int64_t count;
	bool stopped;
	bool wanted;
} rows[] = {
	{ NULL, 0, 1, 0, false, false },
	{ "no", 0, 1, 0, false, false },
	{ "always", 0, 0, 1000, false, true },
	{ "always", 0, 137, 0, true, false },
	{ "unless-stopped", 0, 0, 5, false, true },
	{ "unless-stopped", 0, 0, 5, true, false },
	{ "on-failure", 0, 0, 0, false, false },
	{ "on-failure", 0, 3, 1000, false, true },
	{ "on-failure", 2, 3, 1, false, true },
	{ "on-failure", 2, 3, 2, false, false },
	{ "on-failure", 2, 3, 1, true, false },
};

START_TEST(policies_are_dockers)
{
	struct monitor_restart_config config = { .policy = (char *)rows[_i].policy,
						 .max_retries = rows[_i].max_retries };

	ck_assert_int_eq(
		monitor_restart_wanted(&config, rows[_i].code, rows[_i].count, rows[_i].stopped),
		rows[_i].wanted);
}
END_TEST

START_TEST(delays_double_up_to_a_minute)
{
	static const int64_t expected[] = { 100,  200,   400,   800,   1600,  3200,
					    6400, 12800, 25600, 51200, 60000, 60000 };
	int64_t delay = 0;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		delay = monitor_restart_delay_ms(delay, 9999);
		ck_assert_int_eq(delay, expected[i]);
	}
}
END_TEST

START_TEST(ten_seconds_of_running_reset_the_delay)
{
	ck_assert_int_eq(monitor_restart_delay_ms(51200, 9999), 60000);
	ck_assert_int_eq(monitor_restart_delay_ms(51200, 10000), 100);
}
END_TEST

UNIT_MAIN("monitor/restart", UNIT_LOOP(policies_are_dockers, sizeof(rows) / sizeof(rows[0])),
	  UNIT(delays_double_up_to_a_minute), UNIT(ten_seconds_of_running_reset_the_delay))
