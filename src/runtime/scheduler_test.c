#include "runtime/scheduler.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"

#define DEADLINE(r, d, p)                                                                          \
	{                                                                                          \
		.policy = "SCHED_DEADLINE", .runtime = (r), .deadline = (d), .period = (p)         \
	}

static const struct oci_scheduler good[] = {
	{ .policy = "SCHED_OTHER", .nice = -20 },
	{ .policy = "SCHED_BATCH", .nice = 19 },
	{ .policy = "SCHED_IDLE" },
	{ .policy = "SCHED_ISO" },
	{ .policy = "SCHED_FIFO", .priority = 1 },
	{ .policy = "SCHED_RR", .priority = 99 },
	DEADLINE(1024, 1024, 0),
	DEADLINE(1000000, 2000000, 3000000),
};

START_TEST(what_belongs_together_is_taken)
{
	struct err e;

	ck_assert_msg(runtime_scheduler_check(&good[_i], &e) == 0, "%s", e.text);
}
END_TEST

static const struct {
	struct oci_scheduler scheduler;
	const char *text;
} bad[] = {
	{ { 0 }, "process.scheduler.policy is missing" },
	{ { .policy = "FIFO" }, "process.scheduler.policy 'FIFO' is unknown" },
	{ { .policy = "SCHED_OTHER", .nice = 20 }, "process.scheduler.nice 20" },
	{ { .policy = "SCHED_OTHER", .nice = -21 }, "process.scheduler.nice -21" },
	{ { .policy = "SCHED_OTHER", .priority = 1 }, "process.scheduler.priority is for" },
	{ { .policy = "SCHED_FIFO" }, "process.scheduler.priority 0 is not within 1 to 99" },
	{ { .policy = "SCHED_RR", .priority = 100 }, "process.scheduler.priority 100" },
	{ { .policy = "SCHED_RR", .priority = 1, .period = 1 }, "process.scheduler.runtime, " },
	{ DEADLINE(0, 0, 0), "SCHED_DEADLINE takes 1024 ns" },
	{ DEADLINE(2000, 1999, 0), "SCHED_DEADLINE takes" },
	{ DEADLINE(2000, 3000, 2999), "SCHED_DEADLINE takes" },
};

START_TEST(what_does_not_is_refused_with_its_member)
{
	struct err e;

	ck_assert_int_eq(runtime_scheduler_check(&bad[_i].scheduler, &e), -EINVAL);
	ck_assert_msg(strstr(e.text, bad[_i].text), "%s", e.text);
}
END_TEST

START_TEST(flags_are_known_by_name)
{
	char *names[] = { "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX", NULL };
	char *wrong[] = { "SCHED_FLAG_RESET_ON_FORK", "RESET_ON_FORK", NULL };
	struct oci_scheduler s = { .policy = "SCHED_OTHER", .flags = { names, 2 } };
	struct err e;

	ck_assert_int_eq(runtime_scheduler_check(&s, &e), 0);
	ck_assert(runtime_scheduler_forbids_fork(&s));
	s.flags = (struct strv){ wrong, 2 };
	ck_assert_int_eq(runtime_scheduler_check(&s, &e), -EINVAL);
	ck_assert_str_eq(e.text, "process.scheduler.flags 'RESET_ON_FORK' is unknown");
}
END_TEST

START_TEST(a_fork_would_lose_some_schedulers)
{
	const struct oci_scheduler deadline = DEADLINE(1024, 1024, 0);

	ck_assert(runtime_scheduler_forbids_fork(&deadline));
	ck_assert(!runtime_scheduler_forbids_fork(&good[0]));
	ck_assert(!runtime_scheduler_forbids_fork(NULL));
}
END_TEST

UNIT_MAIN("runtime/scheduler", UNIT_LOOP(what_belongs_together_is_taken, COUNT_OF(good)),
	  UNIT_LOOP(what_does_not_is_refused_with_its_member, COUNT_OF(bad)),
	  UNIT(flags_are_known_by_name), UNIT(a_fork_would_lose_some_schedulers))
