/* health.h - a container's health as Docker's HEALTHCHECK defines it (docs.docker.com/reference/
 * dockerfile/#healthcheck; moby daemon/health.go): the rules as arithmetic, and health.json, the
 * last results. That lies in the run folder, written by the monitor alone; of a container that has
 * ended in its durable folder. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "base/str.h"

struct err;
struct monitor_health_config;

enum {
	MONITOR_HEALTH_OUTPUT_MAX = 4096, /* bytes kept of one check's output; Docker's number */
	MONITOR_HEALTH_LOG_MAX = 5,       /* results kept; Docker's number */
	MONITOR_HEALTH_NO_EXIT = -1,      /* exit code of one that ran into its timeout */
};

enum monitor_health_status {
	MONITOR_HEALTH_NONE, /* there is no check */
	MONITOR_HEALTH_STARTING,
	MONITOR_HEALTH_HEALTHY,
	MONITOR_HEALTH_UNHEALTHY,
};

/* "none", "starting", "healthy", "unhealthy" */
const char *monitor_health_name(enum monitor_health_status status);
/* text NULL, or none of these: MONITOR_HEALTH_NONE. */
enum monitor_health_status monitor_health_parse(const char *text);

struct monitor_health_result {
	char *start; /* RFC 3339 */
	char *end;
	int64_t exit_code;
	char *output; /* valid UTF-8, "..." where it was cut */
};

struct monitor_health {
	int64_t failing_streak;
	SHAPE_LIST_OF(struct monitor_health_result) log; /* oldest first */
};

extern const struct shape monitor_health_result_shape;
void monitor_health_clear(struct monitor_health *health);

/* health.json of this folder below parent_fd. -ENOENT: no check has ended yet. */
int monitor_health_read_in(struct monitor_health *ret, int parent_fd, const char *folder,
			   struct err *e);

/* Adds a result, whose strings are taken over, and writes health.json. */
int monitor_health_add_at(int run_dir_fd, struct monitor_health_result *result,
			  int64_t failing_streak, struct err *e);

/* The container has ended: what health.json says goes to its durable folder. */
void monitor_health_keep(int run_dir_fd, int container_fd);

/* What was read from a check, cut or not, as text: bytes that are no UTF-8, and NUL, become U+FFFD
 * as in Docker's JSON. The caller frees. */
char *monitor_health_text(const char *bytes, size_t length, bool cut);

/* ---- the rules ---- */

struct monitor_health_tally {
	enum monitor_health_status status;
	int64_t failing_streak;
};

/* One more result; ran_ms: how long the container ran when the check began. true: the status has
 * changed. */
bool monitor_health_count(struct monitor_health_tally *tally,
			  const struct monitor_health_config *config, int64_t exit_code,
			  int64_t ran_ms);

/* From now, or the end of the last check, to the next. */
int64_t monitor_health_delay_ms(const struct monitor_health_tally *tally,
				const struct monitor_health_config *config, int64_t ran_ms);

/* How long one may take. */
int64_t monitor_health_timeout_ms(const struct monitor_health_config *config);
