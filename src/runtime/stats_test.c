/* The counters, read from folders that look like a cgroup's, and from a living one. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "runtime/stats.h"
#include "runtime/stats_layout.h"
#include "runtime/stats_network.h"

static char folder_name[] = "/tmp/holm-stats-XXXXXX";

struct file {
	const char *name;
	const char *text;
};

static int make_folder(const struct file *files, size_t count)
{
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(folder_name));
	int folder = open(folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder, 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(fd_write_file_at(folder, files[i].name, files[i].text,
						  strlen(files[i].text), 0644, &e),
				 0);
	return folder;
}

static void remove_folder(int folder)
{
	struct err e;

	close(folder);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, folder_name, &e), 0);
}

static const struct file v2_files[] = {
	{ "cpu.stat", "usage_usec 5\nuser_usec 2\nsystem_usec 3\nnr_periods 7\nnr_throttled 6\n"
		      "throttled_usec 4\n" },
	{ "cpu.pressure", "some avg10=1.50 avg60=0.20 avg300=0.00 total=17\n" },
	{ "cpuset.cpus.effective", "0-1,3\n" },
	{ "cpuset.mems.effective", "0\n" },
	{ "memory.stat", "anon 1\nfile 2\nkernel 9\nsock 8\n" },
	{ "memory.current", "100\n" },
	{ "memory.max", "1000\n" },
	{ "memory.peak", "200\n" },
	{ "memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n" },
	{ "memory.swap.current", "11\n" },
	{ "memory.swap.max", "500\n" },
	{ "pids.current", "3\n" },
	{ "pids.max", "max\n" },
	{ "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n" },
	{ "hugetlb.2MB.max", "max\n" },
	{ "hugetlb.2MB.current", "4194304\n" },
	{ "hugetlb.2MB.events", "max 2\n" },
	{ "hugetlb.2MB.rsvd.max", "max\n" },
};

static const char v2_json[] =
	"{\"cpu\":{\"usage\":{\"total\":5000,\"kernel\":3000,\"user\":2000},\"throttling\":"
	"{\"periods\":7,\"throttledPeriods\":6,\"throttledTime\":4000},\"psi\":{\"some\":"
	"{\"avg10\":1.50,\"avg60\":0.20,\"avg300\":0.00,\"total\":17}}},\"cpuset\":{\"cpus\":"
	"[0,1,3],\"cpu_exclusive\":0,\"mems\":[0],\"mem_hardwall\":0,\"mem_exclusive\":0,"
	"\"memory_migrate\":0,\"memory_spread_page\":0,\"memory_spread_slab\":0,"
	"\"memory_pressure\":0,\"sched_load_balance\":0,\"sched_relax_domain_level\":0},"
	"\"memory\":{\"cache\":2,\"usage\":{\"limit\":1000,\"usage\":100,\"max\":200,\"failcnt\":"
	"12},\"swap\":{\"limit\":1500,\"usage\":111,\"failcnt\":0},\"kernel\":{\"limit\":0,"
	"\"usage\":9,\"failcnt\":0},\"kernelTCP\":{\"limit\":0,\"usage\":8,\"failcnt\":0},\"raw\":"
	"{\"anon\":1,\"file\":2,\"kernel\":9,\"sock\":8}},\"pids\":{\"current\":3},\"blkio\":"
	"{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":1},{\"major\":8,"
	"\"op\":\"Write\",\"value\":2},{\"major\":8,\"op\":\"Discard\",\"value\":5}],"
	"\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":"
	"\"Write\",\"value\":4},{\"major\":8,\"op\":\"Discard\",\"value\":6}]},\"hugetlb\":"
	"{\"2MB\":{\"usage\":4194304,\"failcnt\":2}},\"intel_rdt\":null,\"network_interfaces\":[]}";

START_TEST(v2_is_written_as_engines_read_it)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };
	int folder = make_folder(v2_files, COUNT_OF(v2_files));

	runtime_stats_v2_read(&stats, folder);
	own_json struct json_object *object = shape_write(&runtime_stats_shape, &stats);
	ck_assert_str_eq(json_text(object), v2_json);
	remove_folder(folder);
}
END_TEST

START_TEST(an_event_has_its_data_or_none)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };
	own_json struct json_object *oom = runtime_stats_event("oom", "web", NULL);
	own_json struct json_object *full = runtime_stats_event("stats", "web", &stats);

	ck_assert_str_eq(json_text(oom), "{\"type\":\"oom\",\"id\":\"web\"}");
	ck_assert_msg(str_starts(json_text(full),
				 "{\"type\":\"stats\",\"id\":\"web\",\"data\":{\"cpu\":{\"usage\":"
				 "{\"kernel\":0,\"user\":0},\"throttling\":{}},\"cpuset\":"),
		      "%s", json_text(full));
}
END_TEST

START_TEST(interfaces_are_counted_but_for_the_loopback)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };
	char head[] = " face |bytes    packets errs drop fifo frame compressed multicast|bytes";
	char lo[] = "    lo:       1       2    0    0    0     0          0         0        3 "
		    "4    0    0    0     0       0          0";
	char eth[] =
		"  e\xff\x01h:      10       2    3    4    0     0          0         0       "
		"20    5    6    7    0     0       0          0";
	char cut[] = " eth1: 1 2 3";

	runtime_stats_network_parse(&stats, head);
	runtime_stats_network_parse(&stats, lo);
	runtime_stats_network_parse(&stats, eth);
	runtime_stats_network_parse(&stats, cut);
	ck_assert_uint_eq(stats.interfaces.count, 1);
	const struct runtime_stats_interface *only = &stats.interfaces.items[0];
	ck_assert_str_eq(only->name, "e??h");
	ck_assert_uint_eq(only->rx_bytes, 10);
	ck_assert_uint_eq(only->rx_dropped, 4);
	ck_assert_uint_eq(only->tx_bytes, 20);
	ck_assert_uint_eq(only->tx_errors, 6);
}
END_TEST

UNIT_MAIN("runtime/stats", UNIT(v2_is_written_as_engines_read_it),
	  UNIT(an_event_has_its_data_or_none), UNIT(interfaces_are_counted_but_for_the_loopback))
