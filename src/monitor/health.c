#include "monitor/health.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"
#include "monitor/config.h"

/* Docker's defaults: defaultProbeInterval and its neighbours in moby's daemon/health.go. */
enum { INTERVAL_MS = 30000, TIMEOUT_MS = 30000, START_INTERVAL_MS = 5000, RETRIES = 3 };

/* Five outputs of replacement characters, escaped, with room to spare. */
enum { HEALTH_BYTES_MAX = 1 << 18 };

#define RESULT(member) offsetof(struct monitor_health_result, member)
#define HEALTH(member) offsetof(struct monitor_health, member)

const struct shape monitor_health_result_shape = {
	sizeof(struct monitor_health_result),
	(const struct shape_field[]){
		{ "start", SHAPE_STRING, RESULT(start) },
		{ "end", SHAPE_STRING, RESULT(end) },
		{ "exitCode", SHAPE_INT, RESULT(exit_code) },
		{ "output", SHAPE_STRING, RESULT(output) },
		{ 0 },
	},
};

static const struct shape health_shape = {
	sizeof(struct monitor_health),
	(const struct shape_field[]){
		{ "failingStreak", SHAPE_INT, HEALTH(failing_streak) },
		{ "log", SHAPE_LIST, HEALTH(log), &monitor_health_result_shape },
		{ 0 },
	},
};

static const char *const names[] = { "none", "starting", "healthy", "unhealthy" };

const char *monitor_health_name(enum monitor_health_status status)
{
	return names[status];
}

enum monitor_health_status monitor_health_parse(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_equal(names[i], text))
			return (enum monitor_health_status)i;
	return MONITOR_HEALTH_NONE;
}

/* ---- health.json ---- */

void monitor_health_clear(struct monitor_health *health)
{
	shape_clear(&health_shape, health);
}

int monitor_health_read_in(struct monitor_health *ret, int parent_fd, const char *folder,
			   struct err *e)
{
	struct monitor_health health = { 0 };
	own_free char *path = mem_format("%s/health.json", folder);

	int r = shape_read_at(&health_shape, parent_fd, path, HEALTH_BYTES_MAX, &health, e);
	if (r == 0)
		*ret = health;
	return r;
}

int monitor_health_add_at(int run_dir_fd, struct monitor_health_result *result,
			  int64_t failing_streak, struct err *e)
{
	own_clear(monitor_health_clear) struct monitor_health health = { 0 };
	struct err unread; /* the first one, or damage: a new file is begun */

	monitor_health_read_in(&health, run_dir_fd, ".", &unread);
	health.failing_streak = failing_streak;
	*shape_list_add(&health.log) = *result;
	*result = (struct monitor_health_result){ 0 };
	while (health.log.count > MONITOR_HEALTH_LOG_MAX) {
		shape_clear(&monitor_health_result_shape, &health.log.items[0]);
		health.log.count--;
		memmove(health.log.items, health.log.items + 1,
			health.log.count * sizeof(*health.log.items));
	}
	return shape_write_at(&health_shape, run_dir_fd, "health.json", &health, e);
}

void monitor_health_keep(int run_dir_fd, int container_fd)
{
	own_clear(monitor_health_clear) struct monitor_health health = { 0 };
	struct err ignored; /* a full disk: inspect shows an ended container without results */

	if (monitor_health_read_in(&health, run_dir_fd, ".", &ignored) == 0)
		shape_write_at(&health_shape, container_fd, "health.json", &health, &ignored);
}

char *monitor_health_text(const char *bytes, size_t length, bool cut)
{
	enum { REPLACEMENT = 0xfffd };
	struct str text = { 0 };

	for (size_t at = 0; at < length;) {
		size_t step = utf8_length(bytes + at, length - at);
		if (step && bytes[at])
			str_add_n(&text, bytes + at, step);
		else
			utf8_add(&text, REPLACEMENT);
		at += step ? step : 1;
	}
	if (cut)
		str_add(&text, "...");
	return str_take(&text);
}

/* ---- the rules ---- */

static int64_t in_ms(int64_t ns, int64_t if_none)
{
	return ns > 0 ? (ns + 999999) / 1000000 : if_none;
}

bool monitor_health_count(struct monitor_health_tally *tally,
			  const struct monitor_health_config *config, int64_t exit_code,
			  int64_t ran_ms)
{
	enum monitor_health_status before = tally->status;
	int64_t retries = config->retries > 0 ? config->retries : RETRIES;

	if (exit_code == 0) {
		tally->failing_streak = 0;
		tally->status = MONITOR_HEALTH_HEALTHY;
	} else if (before != MONITOR_HEALTH_STARTING ||
		   ran_ms >= in_ms(config->start_period_ns, 0)) {
		tally->failing_streak++;
		if (tally->failing_streak >= retries)
			tally->status = MONITOR_HEALTH_UNHEALTHY;
	}
	return tally->status != before;
}

int64_t monitor_health_delay_ms(const struct monitor_health_tally *tally,
				const struct monitor_health_config *config, int64_t ran_ms)
{
	if (tally->status == MONITOR_HEALTH_STARTING && ran_ms < in_ms(config->start_period_ns, 0))
		return in_ms(config->start_interval_ns, START_INTERVAL_MS);
	return in_ms(config->interval_ns, INTERVAL_MS);
}

int64_t monitor_health_timeout_ms(const struct monitor_health_config *config)
{
	return in_ms(config->timeout_ns, TIMEOUT_MS);
}
