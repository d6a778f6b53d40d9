/* threshold.c - what is to happen when a container uses more of something than a person wanted to
 * know of: its rules (--rule). Looked at once a second, and not at all where there are none. A rule
 * acts once when its amount is exceeded, and again only after it was not. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "base/strv.h"
#include "monitor/event.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"
#include "runtime/stats_brief.h"
#include "runtime/update.h"

enum { EVERY_MS = 1000, THROTTLED_PERIOD_US = 100000, THROTTLED_QUOTA_US = 10000 };

struct usage {
	uint64_t memory, pids, cpu_percent;
};

/* The share of one CPU since the last look. */
static int read_usage(struct monitor *m, int64_t now_ms, struct usage *ret)
{
	struct monitor_threshold *t = &m->threshold;
	struct runtime_stats_brief brief;
	struct err ignored;
	int cpu = -1;

	if (runtime_stats_brief_read(&brief, &cpu, &m->state.container, &ignored) < 0)
		return -1;
	if (cpu >= 0)
		close(cpu);
	int64_t span_ms = now_ms - t->looked_at_ms;
	*ret = (struct usage){ .memory = brief.memory, .pids = brief.pids };
	if (t->looked_at_ms && span_ms > 0 && brief.cpu_ns > t->cpu_ns)
		ret->cpu_percent = (brief.cpu_ns - t->cpu_ns) / 10000 / (uint64_t)span_ms;
	t->cpu_ns = brief.cpu_ns;
	t->looked_at_ms = now_ms;
	return 0;
}

static uint64_t value_of(const struct usage *usage, const char *resource)
{
	if (str_equal(resource, "memory"))
		return usage->memory;
	return str_equal(resource, "pids") ? usage->pids : usage->cpu_percent;
}

/* As config.json says it, or a tenth of a CPU. */
static void set_quota(struct monitor *m, bool throttled)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	int64_t quota = throttled ? THROTTLED_QUOTA_US : -1;
	uint64_t period = THROTTLED_PERIOD_US;
	struct oci_resources_cpu cpu = { .quota = &quota, .period = &period };
	struct oci_resources resources = { .cpu = &cpu };
	struct err e;

	if (!throttled && oci_spec_read_at(&spec, m->run_dir, "config.json", &e) == 0 &&
	    spec.linux_.resources && spec.linux_.resources->cpu) {
		const struct oci_resources_cpu *own = spec.linux_.resources->cpu;
		quota = own->quota ? *own->quota : quota;
		period = own->period ? *own->period : period;
	}
	if (runtime_update(&m->state.container, &resources, &e) < 0)
		log_warning("throttle: %s", e.text);
}

static void throttle(struct monitor *m, bool throttled)
{
	if (m->threshold.throttled == throttled)
		return;
	m->threshold.throttled = throttled;
	set_quota(m, throttled);
}

/* What it was exceeded by is named, not where it stands: there may be other rules meanwhile. */
static char *text_of(const struct monitor_rule_config *rule)
{
	return mem_format("%s:%s=%lld", rule->resource, rule->action, (long long)rule->amount);
}

static void act(struct monitor *m, const struct monitor_rule_config *rule, uint64_t value)
{
	char amount[24], now[24];
	struct err ignored;
	int signal = 0;

	snprintf(amount, sizeof(amount), "%lld", (long long)rule->amount);
	snprintf(now, sizeof(now), "%llu", (unsigned long long)value);
	monitor_event_write(m->run_dir, &m->config, "threshold", "resource", rule->resource,
			    "action", rule->action, "amount", amount, "value", now, NULL);
	if (str_starts(rule->action, "sig") &&
	    signal_name_parse(&signal, rule->action, &ignored) == 0)
		process_signal(m->process.fd, signal);
}

static void look(struct monitor *m, const struct usage *usage)
{
	struct strv over = { 0 };
	bool throttled = false;

	for (size_t i = 0; i < m->config.rules.count && i < MONITOR_RULES_MAX; i++) {
		const struct monitor_rule_config *rule = &m->config.rules.items[i];
		uint64_t value = value_of(usage, rule->resource);
		if (value <= (uint64_t)rule->amount)
			continue;
		strv_add_take(&over, text_of(rule));
		if (!strv_contains(&m->threshold.over, over.items[over.count - 1]))
			act(m, rule, value);
		throttled |= str_equal(rule->action, "throttle");
	}
	strv_clear(&m->threshold.over);
	m->threshold.over = over;
	throttle(m, throttled);
}

/* ---- when ---- */

static bool is_on(const struct monitor *m)
{
	return !m->is_exec && m->phase == MONITOR_PHASE_RUNNING && m->config.rules.count > 0;
}

static void schedule(struct monitor *m)
{
	m->threshold.looked_at_ms = 0;
	m->threshold.due_ms = is_on(m) ? monitor_loop_now_ms() + EVERY_MS : 0;
}

void monitor_threshold_begin(struct monitor *m)
{
	strv_clear(&m->threshold.over);
	m->threshold.throttled = false;
	schedule(m);
}

void monitor_threshold_change(struct monitor *m)
{
	schedule(m);
	if (!is_on(m))
		throttle(m, false);
	else if (m->threshold.throttled)
		set_quota(m, true);
}

void monitor_threshold_turn(struct monitor *m, int64_t now_ms)
{
	struct usage usage;

	if (!m->threshold.due_ms || now_ms < m->threshold.due_ms)
		return;
	m->threshold.due_ms = 0;
	monitor_change_read(m);
	if (!is_on(m))
		return;
	if (read_usage(m, now_ms, &usage) == 0)
		look(m, &usage);
	m->threshold.due_ms = now_ms + EVERY_MS;
}
