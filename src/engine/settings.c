#include "engine/settings.h"

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/hooks.h"

/* ---- kinds of values ---- */

/* In the largest unit that it is a whole number of. */
static char *show_bytes(const void *member)
{
	static const char units[] = { 't', 'g', 'm', 'k' };
	int64_t bytes = *(const int64_t *)member;

	if (bytes <= 0)
		return mem_format("%lld", (long long)bytes);
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		int shift = 40 - 10 * (int)i;
		if (bytes % (INT64_C(1) << shift) == 0)
			return mem_format("%lld%c", (long long)(bytes >> shift), units[i]);
	}
	return mem_format("%lld", (long long)bytes);
}

static char *show_number(const void *member)
{
	return mem_format("%lld", (long long)*(const int64_t *)member);
}

static char *show_optional(const void *member)
{
	const int64_t *number = *(const int64_t *const *)member;

	return mem_format("%lld", number ? (long long)*number : -1LL);
}

static char *show_cpus(const void *member)
{
	return mem_format("%g", (double)*(const int64_t *)member / 1e9);
}

static char *show_text(const void *member)
{
	const char *text = *(const char *const *)member;

	return mem_text(text ? text : "");
}

static char *join(struct strv *parts)
{
	char *text = parts->count ? strv_join(parts, " ") : mem_text("");

	strv_clear(parts);
	return text;
}

static char *show_words(const void *member)
{
	const struct strv *words = member;

	return words->count ? strv_join(words, " ") : mem_text("");
}

static char *show_devices(const void *member)
{
	const struct container_device_limits *limits = member;
	struct strv parts = { 0 };

	for (size_t i = 0; i < limits->count; i++)
		strv_addf(&parts, "%s:%llu", limits->items[i].path,
			  (unsigned long long)limits->items[i].rate);
	return join(&parts);
}

static char *show_ulimits(const void *member)
{
	const struct container_limits *limits =
		(const void *)((const char *)member - offsetof(struct container_limits, ulimits));
	struct strv parts = { 0 };

	for (size_t i = 0; i < limits->ulimits.count; i++) {
		const struct container_ulimit *u = &limits->ulimits.items[i];
		strv_addf(&parts, "%s=%lld:%lld", u->name, (long long)u->soft, (long long)u->hard);
	}
	return join(&parts);
}

static char *show_rules(const void *member)
{
	const struct container_limits *limits =
		(const void *)((const char *)member - offsetof(struct container_limits, rules));
	struct strv parts = { 0 };

	for (size_t i = 0; i < limits->rules.count; i++) {
		const struct container_rule *rule = &limits->rules.items[i];
		own_free char *amount = str_equal(rule->resource, "memory")
						? show_bytes(&rule->amount)
						: show_number(&rule->amount);
		strv_addf(&parts, "%s:%s=%s", rule->resource, rule->action, amount);
	}
	return join(&parts);
}

static char *show_restart(const void *member)
{
	const struct container_restart *restart = member;

	if (restart->max_retries)
		return mem_format("%s:%lld", restart->policy, (long long)restart->max_retries);
	return mem_text(restart->policy ? restart->policy : "no");
}

static char *show_hooks(const void *member)
{
	return engine_hooks_text(
		(const void *)((const char *)member - offsetof(struct container, hooks)));
}

static char *show_autostart(const void *member)
{
	const struct container_autostart *autostart = member;

	if (autostart->order)
		return mem_format("%lld", (long long)autostart->order);
	return mem_text(autostart->when ? autostart->when : "");
}

/* ---- the table ---- */

#define LIMIT(key, member, show)                                                                   \
	{                                                                                          \
		key, offsetof(struct container, limits.member), show                               \
	}

static const struct {
	const char *key; /* of cli_update_table */
	size_t offset;
	char *(*show)(const void *member);
} settings[] = {
	LIMIT("memory", memory, show_bytes),
	LIMIT("memory-swap", memory_swap, show_bytes),
	LIMIT("memory-reservation", memory_reservation, show_bytes),
	LIMIT("memory-swappiness", memory_swappiness, show_optional),
	LIMIT("cpus", nanocpus, show_cpus),
	LIMIT("cpu-shares", cpu_shares, show_number),
	LIMIT("cpu-period", cpu_period, show_number),
	LIMIT("cpu-quota", cpu_quota, show_number),
	LIMIT("cpuset-cpus", cpuset_cpus, show_text),
	LIMIT("cpuset-mems", cpuset_mems, show_text),
	{ "disk", offsetof(struct container, storage.size), show_bytes },
	LIMIT("pids-limit", pids, show_number),
	LIMIT("blkio-weight", blkio_weight, show_number),
	LIMIT("device-read-bps", read_bps, show_devices),
	LIMIT("device-write-bps", write_bps, show_devices),
	LIMIT("device-read-iops", read_iops, show_devices),
	LIMIT("device-write-iops", write_iops, show_devices),
	LIMIT("ulimit", ulimits, show_ulimits),
	LIMIT("rule", rules, show_rules),
	{ "restart", offsetof(struct container, restart), show_restart },
	{ "autostart", offsetof(struct container, autostart), show_autostart },
	{ "autostart-delay", offsetof(struct container, autostart.delay_s), show_number },
	{ "hook", offsetof(struct container, hooks), show_hooks },
	{ "autostart-group", offsetof(struct container, autostart.groups), show_words },
};

void engine_settings_of(struct shape_map *to, const struct container *c)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		own_free char *text = settings[i].show((const char *)c + settings[i].offset);
		shape_map_set(to, settings[i].key, text);
	}
}

int engine_settings(struct engine *engine, const char *name, struct shape_map *ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r == 0)
		engine_settings_of(ret, &c);
	return r;
}
