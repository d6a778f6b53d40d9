/* lxc.cgroup.* and lxc.cgroup2.*: files of the kernel's, which holm has options for. */
#include "system/lxc_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"

/* As they are; "-1" and "max" are no limit. */
static const struct {
	const char *file, *option;
} rows[] = {
	{ "memory.limit_in_bytes", "memory" },
	{ "memory.soft_limit_in_bytes", "memory-reservation" },
	{ "memory.low", "memory-reservation" },
	{ "memory.memsw.limit_in_bytes", "memory-swap" },
	{ "memory.swappiness", "memory-swappiness" },
	{ "cpu.shares", "cpu-shares" },
	{ "cpu.cfs_quota_us", "cpu-quota" },
	{ "cpu.cfs_period_us", "cpu-period" },
	{ "cpuset.cpus", "cpuset-cpus" },
	{ "cpuset.mems", "cpuset-mems" },
	{ "blkio.weight", "blkio-weight" },
};

static bool is_none(const char *value)
{
	return str_equal(value, "max") || str_equal(value, "-1");
}

static const char *take_weight(struct lxc_reading *r, const char *option, const char *value,
			       int64_t least, int64_t most)
{
	enum { WEIGHT_MAX = 10000 };
	const char *number = str_starts(value, "default ") ? value + strlen("default ") : value;
	struct err ignored;
	int64_t weight;

	if (number_parse_i64(&weight, number, 1, WEIGHT_MAX, &ignored) < 0)
		return "not a weight of 1 to 10000";
	system_foreign_setf(r->machine, "%s=%" PRId64, option,
			    least + (weight - 1) * (most - least) / (WEIGHT_MAX - 1));
	return NULL;
}

static const char *take_cpu_max(struct lxc_reading *r, const char *value)
{
	char quota[24];
	unsigned long period = 100000;

	if (sscanf(value, "%23s %lu", quota, &period) < 1)
		return "not QUOTA PERIOD";
	if (is_none(quota))
		return NULL;
	system_foreign_set(r->machine, "cpu-quota", quota);
	system_foreign_setf(r->machine, "cpu-period=%lu", period);
	return NULL;
}

static const char *take_bytes(int64_t *to, const char *value)
{
	struct err ignored;

	return is_none(value) || number_parse_bytes(to, value, &ignored) == 0 ? NULL : "not a size";
}

static const char *take_device(struct lxc_reading *r, const struct lxc_line *line, bool allow)
{
	if (line->stock)
		return NULL; /* holm's own list is no longer than that */
	if (str_equal(line->value, "a") && !allow)
		return NULL;
	if (!allow)
		return "holm allows no device that it does not name";
	if (str_equal(line->value, "a") || str_starts(line->value, "a "))
		return "all devices are not allowed by that: --device-cgroup-rule names some";
	system_foreign_set(r->machine, "device-cgroup-rule", line->value);
	return NULL;
}

const char *system_lxc_cgroup_take(struct lxc_reading *r, const struct lxc_line *line,
				   const char *rest)
{
	const char *value = line->value;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!str_equal(rows[i].file, rest))
			continue;
		if (!is_none(value))
			system_foreign_set(r->machine, rows[i].option, value);
		return NULL;
	}
	if (str_equal(rest, "pids.max"))
		system_foreign_set(r->machine, "pids-limit", is_none(value) ? "-1" : value);
	else if (str_equal(rest, "memory.max"))
		return take_bytes(&r->memory, value);
	else if (str_equal(rest, "memory.swap.max"))
		return take_bytes(&r->swap, value);
	else if (str_equal(rest, "cpu.max"))
		return take_cpu_max(r, value);
	/* as runc and crun turn them over */
	else if (str_equal(rest, "cpu.weight"))
		return take_weight(r, "cpu-shares", value, 2, 262144);
	else if (str_equal(rest, "io.weight"))
		return take_weight(r, "blkio-weight", value, 10, 1000);
	else if (str_starts(rest, "devices."))
		return take_device(r, line, str_equal(rest, "devices.allow"));
	else
		return "holm has no such limit";
	return NULL;
}

/* --memory-swap is memory and swap together. */
void system_lxc_cgroup_finish(struct lxc_reading *r)
{
	if (r->memory)
		system_foreign_setf(r->machine, "memory=%" PRId64, r->memory);
	if (r->memory && r->swap)
		system_foreign_setf(r->machine, "memory-swap=%" PRId64, r->memory + r->swap);
}
