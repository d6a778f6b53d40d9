/* events.c - `events ID`: what a container uses, at every interval, and when the kernel killed for
 * want of memory; a line of JSON each. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/state.h"
#include "runtime/oom.h"
#include "runtime/stats.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

struct events_options {
	bool stats;
	char *interval;
};

#define OPTIONS struct events_options
static const struct option table[] = {
	{ "stats", 0, OPTION_FLAG(stats), NULL, "once, at once" },
	{ "interval", 0, OPTION_STRING(interval), "DURATION", "as in 5s, which is the default" },
	{ 0 },
};
#undef OPTIONS

static const int64_t INTERVAL_NS_DEFAULT = 5 * 1000000000LL;
static const int64_t INTERVAL_NS_MIN = 1000000, INTERVAL_NS_MAX = 86400 * 1000000000LL;

static void print(struct json_object *event)
{
	puts(json_text(event));
	fflush(stdout);
	json_object_put(event);
}

static int print_stats(const struct runtime_cli_record *record, struct err *e)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };

	int r = runtime_stats_read(&stats, &record->container, e);
	if (r < 0)
		return r;
	print(runtime_stats_event("stats", record->id, &stats));
	return 0;
}

static void print_oom(const struct runtime_cli_record *record, struct runtime_oom *oom)
{
	uint64_t times = 0;

	if (runtime_oom_read(oom, &times) == -ENODEV)
		runtime_oom_close(oom);
	for (; times > 0; times--)
		print(runtime_stats_event("oom", record->id, NULL));
}

/* Waits for an event or until next. Returns 1 when the container has ended. */
static int wait_for(const struct runtime_cli_record *record, struct runtime_oom *oom, int pidfd,
		    int64_t next, struct err *e)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = oom->fd, .events = POLLIN } };
	int64_t left = (next - moment_monotonic_ns() + 999999) / 1000000;

	int n = poll(fds, 2, left > 0 ? (int)left : 0);
	if (n < 0 && errno != EINTR)
		return err_sys(e, "wait for events");
	if (n > 0 && fds[1].revents)
		print_oom(record, oom);
	return n > 0 && fds[0].revents;
}

/* Until the container has ended. */
static int follow(const struct runtime_cli_record *record, struct runtime_oom *oom,
		  int64_t interval_ns, struct err *e)
{
	own_fd int pidfd = runtime_container_open(&record->container);
	int64_t next = moment_monotonic_ns() + interval_ns;

	while (pidfd >= 0) {
		int r = wait_for(record, oom, pidfd, next, e);
		if (r != 0)
			return r < 0 ? r : 0;
		if (moment_monotonic_ns() < next)
			continue;
		r = print_stats(record, e);
		if (r < 0)
			return process_ended(pidfd) ? 0 : r;
		next += interval_ns;
	}
	return 0;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct events_options *o = options;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	struct runtime_oom oom = RUNTIME_OOM_INIT;
	int64_t interval = INTERVAL_NS_DEFAULT;
	struct err without;

	int r = o->interval ? number_parse_duration_ns(&interval, o->interval, e) : 0;
	if (r == 0 && (interval < INTERVAL_NS_MIN || interval > INTERVAL_NS_MAX))
		r = err_set(e, ERR_INVALID, "--interval: not between a millisecond and a day");
	if (r == 0)
		r = runtime_cli_record_read(&record, cli, args->items[0], false, e);
	if (r < 0)
		return r;
	if (str_equal(runtime_cli_record_status(&record), OCI_STATUS_STOPPED))
		return err_set(e, ERR_STATE, "container not running");
	if (o->stats)
		return print_stats(&record, e);
	/* without a memory controller nothing is ever killed by it */
	if (runtime_oom_open(&oom, &record.container.cgroup, &without) < 0)
		oom = (struct runtime_oom)RUNTIME_OOM_INIT;
	r = follow(&record, &oom, interval, e);
	runtime_oom_close(&oom);
	return r;
}

const struct runtime_cli_command runtime_cli_events = {
	.name = "events",
	.arguments = "[OPTIONS] ID",
	.summary = "print what a container uses, and when it ran out of memory",
	.options = table,
	.size = sizeof(struct events_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
