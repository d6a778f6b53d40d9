#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "monitor/config.h"
#include "monitor/health.h"

static struct monitor_health_tally starting(void)
{
	return (struct monitor_health_tally){ .status = MONITOR_HEALTH_STARTING };
}

START_TEST(three_failures_in_a_row_are_unhealthy_and_one_success_is_healthy)
{
	const struct monitor_health_config config = { 0 };
	struct monitor_health_tally tally = starting();

	ck_assert(!monitor_health_count(&tally, &config, 1, 0));
	ck_assert(!monitor_health_count(&tally, &config, 1, 0));
	ck_assert_int_eq(tally.status, MONITOR_HEALTH_STARTING);
	ck_assert(monitor_health_count(&tally, &config, MONITOR_HEALTH_NO_EXIT, 0));
	ck_assert_int_eq(tally.status, MONITOR_HEALTH_UNHEALTHY);
	ck_assert_int_eq(tally.failing_streak, 3);
	ck_assert(!monitor_health_count(&tally, &config, 2, 0));
	ck_assert_int_eq(tally.failing_streak, 4);
	ck_assert(monitor_health_count(&tally, &config, 0, 0));
	ck_assert_int_eq(tally.status, MONITOR_HEALTH_HEALTHY);
	ck_assert_int_eq(tally.failing_streak, 0);
	ck_assert(!monitor_health_count(&tally, &config, 1, 0));
	ck_assert_int_eq(tally.status, MONITOR_HEALTH_HEALTHY);
}
END_TEST

START_TEST(failures_within_the_start_period_do_not_count_before_the_first_success)
{
	const struct monitor_health_config config = { .retries = 1, .start_period_ns = 2000000000 };
	struct monitor_health_tally tally = starting();

	ck_assert(!monitor_health_count(&tally, &config, 1, 1999));
	ck_assert_int_eq(tally.failing_streak, 0);
	ck_assert(monitor_health_count(&tally, &config, 0, 100));
	ck_assert(monitor_health_count(&tally, &config, 1, 200));
	ck_assert_int_eq(tally.status, MONITOR_HEALTH_UNHEALTHY);
	tally = starting();
	ck_assert(monitor_health_count(&tally, &config, 1, 2000));
}
END_TEST

START_TEST(the_start_interval_counts_while_it_starts)
{
	struct monitor_health_config config = { 0 };
	struct monitor_health_tally tally = starting();

	ck_assert_int_eq(monitor_health_delay_ms(&tally, &config, 0), 30000);
	config.start_period_ns = 60000000000;
	ck_assert_int_eq(monitor_health_delay_ms(&tally, &config, 0), 5000);
	config.start_interval_ns = 1500000;
	ck_assert_int_eq(monitor_health_delay_ms(&tally, &config, 59999), 2);
	ck_assert_int_eq(monitor_health_delay_ms(&tally, &config, 60000), 30000);
	tally.status = MONITOR_HEALTH_HEALTHY;
	config.interval_ns = 7000000000;
	ck_assert_int_eq(monitor_health_delay_ms(&tally, &config, 0), 7000);
	ck_assert_int_eq(monitor_health_timeout_ms(&config), 30000);
}
END_TEST

START_TEST(output_becomes_text_whatever_bytes_it_has)
{
	own_free char *good = monitor_health_text("gr\xc3\xbc\xc3\x9f", 6, false);
	own_free char *bad = monitor_health_text("a\xc3", 2, true);
	own_free char *nul = monitor_health_text("a\0b", 3, false);
	own_free char *none = monitor_health_text(NULL, 0, false);

	ck_assert_str_eq(good, "gr\xc3\xbc\xc3\x9f");
	ck_assert_str_eq(bad, "a\xef\xbf\xbd...");
	ck_assert_str_eq(nul, "a\xef\xbf\xbd"
			      "b");
	ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(the_last_five_results_are_kept)
{
	char folder[] = "/tmp/holm-health-XXXXXX";
	own_clear(monitor_health_clear) struct monitor_health health = { 0 };
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	own_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(monitor_health_read_in(&health, fd, ".", &e), -ENOENT);
	for (int i = 0; i < 7; i++) {
		struct monitor_health_result result = { .exit_code = i, .output = mem_text("x") };
		ck_assert_int_eq(monitor_health_add_at(fd, &result, 10 + i, &e), 0);
	}
	ck_assert_int_eq(monitor_health_read_in(&health, fd, ".", &e), 0);
	ck_assert_int_eq(health.failing_streak, 16);
	ck_assert_uint_eq(health.log.count, 5);
	ck_assert_int_eq(health.log.items[0].exit_code, 2);
	ck_assert_int_eq(health.log.items[4].exit_code, 6);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, folder, &e), 0);
}
END_TEST

UNIT_MAIN("monitor/health", UNIT(three_failures_in_a_row_are_unhealthy_and_one_success_is_healthy),
	  UNIT(failures_within_the_start_period_do_not_count_before_the_first_success),
	  UNIT(the_start_interval_counts_while_it_starts),
	  UNIT(output_becomes_text_whatever_bytes_it_has), UNIT(the_last_five_results_are_kept))
