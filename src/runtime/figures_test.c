#include "runtime/figures_text.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

#define SECOND INT64_C(1000000000)

static struct runtime_number_list list_of(const char *text)
{
	struct runtime_number_list list;
	struct err e;

	ck_assert_int_eq(runtime_number_list_parse(&list, text, "cpus", &e), 0);
	return list;
}

START_TEST(meminfo_has_the_kernels_lines)
{
	const struct runtime_memory_figures memory = {
		.total = 512 << 20, .free = 100 << 20, .available = 200 << 20, .cached = 80 << 20
	};
	own_clear(str_clear) struct str text = { 0 };

	runtime_figures_meminfo(&text, &memory);
	ck_assert(str_starts(text.text, "MemTotal:         524288 kB\n"
					"MemFree:          102400 kB\n"
					"MemAvailable:     204800 kB\n"
					"Buffers:               0 kB\n"
					"Cached:            81920 kB\n"));
}
END_TEST

START_TEST(cpuinfo_has_the_blocks_of_these_cpus_and_what_is_about_all)
{
	const struct runtime_number_list cpus = list_of("1");
	own_clear(str_clear) struct str text = { 0 };

	runtime_figures_cpuinfo(&text,
				"processor\t: 0\nmodel\t: a\n\nprocessor\t: 1\nmodel\t: b\n\n"
				"Hardware\t: c\n",
				&cpus);
	ck_assert_str_eq(text.text, "processor\t: 1\nmodel\t: b\n\nHardware\t: c\n");
}
END_TEST

START_TEST(stat_shares_the_time_and_never_runs_backwards)
{
	const struct runtime_number_list cpus = list_of("0,2");
	struct runtime_time_figures time = { .user_ns = 6 * SECOND, .system_ns = 2 * SECOND };
	const struct runtime_task_figures tasks = { 5, 2, 1 };
	own_clear(str_clear) struct str text = { 0 }, late = { 0 };

	runtime_figures_stat(&text, &cpus, &time, &tasks, 10 * SECOND, 1234);
	ck_assert(str_starts(text.text, "cpu  600 0 200 1200 0 0 0 0 0 0\n"
					"cpu0 300 0 100 600 0 0 0 0 0 0\n"
					"cpu2 300 0 100 600 0 0 0 0 0 0\n"));
	ck_assert(
		strstr(text.text, "\nbtime 1234\nprocesses 5\nprocs_running 2\nprocs_blocked 1\n"));
	/* more was used than the CPUs that are there now could give */
	time.user_ns = 100 * SECOND;
	runtime_figures_stat(&late, &cpus, &time, &tasks, 10 * SECOND, 1234);
	ck_assert(str_starts(late.text, "cpu  10000 0 200 0 "));
}
END_TEST

START_TEST(uptime_and_load_have_two_digits)
{
	const struct runtime_number_list cpus = list_of("0-1");
	const struct runtime_time_figures time = { .user_ns = SECOND };
	const struct runtime_task_figures tasks = { 7, 1, 0 };
	struct runtime_load load = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	runtime_figures_uptime(&text, &cpus, &time, 65 * SECOND + SECOND / 4);
	ck_assert_str_eq(text.text, "65.25 129.50\n");
	str_clear(&text);
	/* one that runs for a minute: 1 - 1/e */
	for (int i = 0; i < 12; i++)
		runtime_figures_add_load(&load, 1, 5);
	runtime_figures_loadavg(&text, &load, &tasks);
	ck_assert_str_eq(text.text, "0.63 0.18 0.06 1/7 0\n");
}
END_TEST

START_TEST(swap_is_listed_where_there_is_some)
{
	struct runtime_memory_figures memory = { 0 };
	own_clear(str_clear) struct str none = { 0 }, some = { 0 };

	runtime_figures_swaps(&none, &memory);
	ck_assert_str_eq(none.text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	memory.swap_total = 64 << 20;
	memory.swap_free = 48 << 20;
	runtime_figures_swaps(&some, &memory);
	ck_assert(strstr(some.text, "virtual\t\t65536\t16384\t0\n"));
}
END_TEST

UNIT_MAIN("runtime/figures", UNIT(meminfo_has_the_kernels_lines),
	  UNIT(cpuinfo_has_the_blocks_of_these_cpus_and_what_is_about_all),
	  UNIT(stat_shares_the_time_and_never_runs_backwards),
	  UNIT(uptime_and_load_have_two_digits), UNIT(swap_is_listed_where_there_is_some))
