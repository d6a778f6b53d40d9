#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_plan.h"

static struct oci_resources resources_of(const char *text)
{
	struct oci_resources resources = { 0 };
	own_json struct json_object *object = NULL;
	struct err e;

	ck_assert_msg(json_parse(&object, text, strlen(text), "resources", &e) == 0, "%s", e.text);
	ck_assert_msg(shape_read(&oci_resources_shape, object, &resources, &e) == 0, "%s", e.text);
	return resources;
}

/* "file=value; file=value" */
static char *plan_text(const struct runtime_cgroup_plan *plan)
{
	struct str text = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const struct runtime_cgroup_write *write = &plan->items[i];
		str_addf(&text, "%s%s=%s", i ? "; " : "", write->file, write->value);
		if (write->else_file)
			str_addf(&text, " or %s=%s", write->else_file, write->else_value);
	}
	return str_take(&text);
}

static const struct {
	const char *resources;
	const char *v1;
	const char *v2;
} plans[] = {
	{ "{}", "", "" },
	{ "{\"memory\":{\"limit\":67108864,\"swap\":134217728,\"reservation\":33554432}}",
	  "memory.limit_in_bytes=67108864; memory.memsw.limit_in_bytes=134217728; "
	  "memory.soft_limit_in_bytes=33554432",
	  "memory.max=67108864; memory.swap.max=67108864; memory.low=33554432" },
	{ "{\"memory\":{\"limit\":67108864,\"swap\":-1}}",
	  "memory.limit_in_bytes=67108864; memory.memsw.limit_in_bytes=-1",
	  "memory.max=67108864; memory.swap.max=max" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":0,\"kernel\":-1}}",
	  "memory.limit_in_bytes=-1; memory.memsw.limit_in_bytes=-1",
	  "memory.max=max; memory.swap.max=max" },
	{ "{\"pids\":{\"limit\":100}}", "pids.max=100", "pids.max=100" },
	{ "{\"pids\":{\"limit\":-1}}", "pids.max=max", "pids.max=max" },
	{ "{\"pids\":{}}", "", "" },
	{ "{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000,\"burst\":10000}}",
	  "cpu.shares=512; cpu.cfs_period_us=100000; cpu.cfs_quota_us=50000; "
	  "cpu.cfs_burst_us=10000",
	  "cpu.weight=59; cpu.max=50000 100000; cpu.max.burst=10000" },
	{ "{\"cpu\":{\"quota\":-1}}", "cpu.cfs_quota_us=-1", "cpu.max=max" },
	{ "{\"cpu\":{\"period\":50000}}", "cpu.cfs_period_us=50000", "cpu.max=max 50000" },
	{ "{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\",\"idle\":1}}",
	  "cpu.idle=1; cpuset.cpus=0-1; cpuset.mems=0",
	  "cpu.idle=1; cpuset.cpus=0-1; cpuset.mems=0" },
	{ "{\"blockIO\":{\"weight\":500,\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,"
	  "\"rate\":1048576}]}}",
	  "blkio.bfq.weight=500 or blkio.weight=500; blkio.throttle.read_bps_device=8:0 1048576",
	  "io.bfq.weight=500 or io.weight=default 4950; io.max=8:0 rbps=1048576" },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":16,\"weight\":10}]}}",
	  "blkio.bfq.weight_device=8:16 10 or blkio.weight_device=8:16 10",
	  "io.bfq.weight=8:16 10 or io.weight=8:16 1" },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}",
	  "hugetlb.2MB.limit_in_bytes=4194304; hugetlb.2MB.rsvd.limit_in_bytes=4194304",
	  "hugetlb.2MB.max=4194304; hugetlb.2MB.rsvd.max=4194304" },
	{ "{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000}}}",
	  "rdma.max=mlx5_1 hca_handle=3; rdma.max=mlx5_1 hca_object=10000",
	  "rdma.max=mlx5_1 hca_handle=3; rdma.max=mlx5_1 hca_object=10000" },
	{ "{\"memory\":{\"swappiness\":10,\"disableOOMKiller\":true}}",
	  "memory.swappiness=10; memory.oom_control=1", NULL },
	{ "{\"network\":{\"classID\":1048577,\"priorities\":[{\"name\":\"eth0\","
	  "\"priority\":5}]}}",
	  "net_cls.classid=1048577; net_prio.ifpriomap=eth0 5", NULL },
	{ "{\"cpu\":{\"realtimeRuntime\":9500}}", "cpu.rt_runtime_us=9500", NULL },
	{ "{\"unified\":{\"memory.high\":\"1073741824\"}}", NULL, "memory.high=1073741824" },
	{ "{\"unified\":{\"cgroup.procs\":\"1\"}}", NULL, NULL },
	{ "{\"unified\":{\"memory/../x\":\"1\"}}", NULL, NULL },
	{ "{\"memory\":{\"limit\":131072}}", NULL, NULL },
	{ "{\"memory\":{\"kernel\":4096}}", NULL, NULL },
	{ "{\"memory\":{\"kernelTCP\":4096}}", "memory.kmem.tcp.limit_in_bytes=4096", NULL },
	{ "{\"memory\":{\"useHierarchy\":true}}", "", "" },
	{ "{\"memory\":{\"useHierarchy\":false}}", NULL, NULL },
	{ "{\"blockIO\":{\"leafWeight\":100}}", NULL, NULL },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":100}]}}", NULL,
	  NULL },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":5}]}}", NULL, NULL },
	{ "{\"memory\":{\"limit\":67108864,\"swap\":33554432}}", NULL, NULL },
	{ "{\"memory\":{\"swap\":67108864}}", "memory.memsw.limit_in_bytes=67108864", NULL },
	{ "{\"memory\":{\"limit\":67108864,\"reservation\":67108865}}", NULL, NULL },
	{ "{\"memory\":{\"swappiness\":101}}", NULL, NULL },
	{ "{\"cpu\":{\"shares\":1}}", NULL, NULL },
	{ "{\"cpu\":{\"period\":999}}", NULL, NULL },
	{ "{\"cpu\":{\"quota\":999}}", NULL, NULL },
	{ "{\"blockIO\":{\"weight\":1001}}", NULL, NULL },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":1}]}", NULL, NULL },
	{ "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}",
	  "devices.deny=a; devices.allow=c *:* m; devices.allow=b *:* m; "
	  "devices.allow=c 1:3 rwm; devices.allow=c 1:5 rwm; devices.allow=c 1:7 rwm; "
	  "devices.allow=c 1:8 rwm; devices.allow=c 1:9 rwm; devices.allow=c 5:0 rwm; "
	  "devices.allow=c 5:1 rwm; devices.allow=c 5:2 rwm; devices.allow=c 136:* rwm",
	  "" },
	{ "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},{\"allow\":false,\"type\":\"b\","
	  "\"major\":8,\"access\":\"w\"}]}",
	  "devices.allow=a; devices.deny=b 8:* w", "" },
};

static void check_plan(const char *layout, int r, const struct runtime_cgroup_plan *plan,
		       const char *expected, const struct err *e)
{
	own_free char *text = plan_text(plan);

	if (!expected) {
		ck_assert_msg(r < 0, "%s took it: %s", layout, text);
		ck_assert(e->kind == ERR_INVALID || e->kind == ERR_UNSUPPORTED);
		ck_assert_uint_eq(plan->count, 0);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", layout, e->text);
	ck_assert_str_eq(text, expected);
}

START_TEST(limits_become_writes_of_each_layout)
{
	struct oci_resources resources = resources_of(plans[_i].resources);
	struct runtime_cgroup_plan v1 = { 0 };
	struct runtime_cgroup_plan v2 = { 0 };
	struct err e = { 0 };

	int r = runtime_cgroup_plan_v1(&v1, &resources, &e);
	check_plan("v1", r, &v1, plans[_i].v1, &e);
	r = runtime_cgroup_plan_v2(&v2, &resources, &e);
	check_plan("v2", r, &v2, plans[_i].v2, &e);
	runtime_cgroup_plan_clear(&v1);
	runtime_cgroup_plan_clear(&v2);
	shape_clear(&oci_resources_shape, &resources);
}
END_TEST

/* The formula's own examples: both ends and the default. */
START_TEST(shares_convert_with_both_ends_and_the_default)
{
	ck_assert_uint_eq(runtime_cgroup_plan_weight_of_shares(2), 1);
	ck_assert_uint_eq(runtime_cgroup_plan_weight_of_shares(1024), 100);
	ck_assert_uint_eq(runtime_cgroup_plan_weight_of_shares(262144), 10000);
	for (uint64_t shares = 3; shares <= 262144; shares += 7)
		ck_assert_uint_ge(runtime_cgroup_plan_weight_of_shares(shares),
				  runtime_cgroup_plan_weight_of_shares(shares - 1));
	ck_assert_uint_eq(runtime_cgroup_plan_weight_of_blkio(10), 1);
	ck_assert_uint_eq(runtime_cgroup_plan_weight_of_blkio(1000), 10000);
}
END_TEST

#define DENY_ALL "{\"allow\":false}"
#define CHARS(allow, access)                                                                       \
	"{\"allow\":" allow ",\"type\":\"c\",\"major\":10,\"access\":\"" access "\"}"
#define ONE(allow, access)                                                                         \
	"{\"allow\":" allow ",\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"" access "\"" \
	"}"

static const struct {
	const char *rules;
	bool possible;      /* on v1 */
	const char *holds;  /* a write that must be there, or NULL */
	const char *absent; /* one that must not */
} lists[] = {
	{ DENY_ALL "," ONE("true", "rw"), true, "devices.allow=c 10:200 rw", NULL },
	{ DENY_ALL "," ONE("true", "rw") "," CHARS("false", "rwm"), true, NULL, "10:200" },
	{ DENY_ALL "," ONE("true", "rw") "," ONE("false", "w"), false, NULL, NULL },
	{ DENY_ALL "," CHARS("true", "rw") "," ONE("false", "rw"), false, NULL, NULL },
	{ ONE("true", "rw") "," DENY_ALL, true, NULL, "10:200" },
	{ ONE("true", "rw"), true, "devices.deny=a", NULL },
	{ DENY_ALL ",{\"allow\":true,\"type\":\"a\",\"major\":7,\"access\":\"r\"}", true,
	  "devices.allow=b 7:* r", NULL },
};

START_TEST(the_last_device_rule_that_matches_wins)
{
	own_free char *text = mem_format("{\"devices\":[%s]}", lists[_i].rules);
	struct oci_resources resources = resources_of(text);
	struct runtime_cgroup_plan plan = { 0 };
	struct err e;

	int r = runtime_cgroup_plan_v1(&plan, &resources, &e);
	ck_assert_int_eq(r == 0, lists[_i].possible);
	own_free char *writes = plan_text(&plan);
	if (lists[_i].holds)
		ck_assert_msg(strstr(writes, lists[_i].holds) != NULL, "%s", writes);
	if (lists[_i].absent)
		ck_assert_msg(strstr(writes, lists[_i].absent) == NULL, "%s", writes);
	runtime_cgroup_plan_clear(&plan);
	shape_clear(&oci_resources_shape, &resources);
}
END_TEST

static const char *const bad_rules[] = {
	"{\"allow\":true,\"type\":\"x\"}",
	"{\"allow\":true,\"type\":\"cc\"}",
	"{\"allow\":true,\"access\":\"rwx\"}",
	"{\"allow\":true,\"type\":\"c\",\"major\":-2}",
	"{\"allow\":true,\"type\":\"c\",\"minor\":4294967296}",
};

START_TEST(a_device_rule_without_sense_is_refused)
{
	own_free char *text = mem_format("{\"devices\":[%s]}", bad_rules[_i]);
	struct oci_resources resources = resources_of(text);
	struct runtime_cgroup_device_rules rules = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_cgroup_device_rules_read(&rules, &resources, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_ptr_null(rules.items);
	shape_clear(&oci_resources_shape, &resources);
}
END_TEST

UNIT_MAIN("runtime/cgroup_plan", UNIT_LOOP(limits_become_writes_of_each_layout, COUNT_OF(plans)),
	  UNIT(shares_convert_with_both_ends_and_the_default),
	  UNIT_LOOP(the_last_device_rule_that_matches_wins, COUNT_OF(lists)),
	  UNIT_LOOP(a_device_rule_without_sense_is_refused, COUNT_OF(bad_rules)))
