/* `holm logs`: reads the files; the monitor is not asked. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/journal.h"
#include "cli/log_print.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "monitor/log.h"

/* A container that was killed together with its monitor changes no file that could wake us. */
enum { ALIVE_CHECK_MS = 250 };

struct logs_options {
	bool follow;
	bool timestamps;
	bool details;
	struct cli_log_range range;
};

#define OPTIONS struct logs_options
static const struct option table[] = {
	{ "details", 0, OPTION_FLAG(details), NULL,
	  "with the labels, variables and tag of --log-opt" },
	{ "follow", 'f', OPTION_FLAG(follow), NULL, "go on until the container ends" },
	{ "since", 0, OPTION_STRING(range.since), "TIME",
	  "only from then on: 2026-01-31T12:00:00Z, seconds since 1970, or 10m (ago)" },
	{ "until", 0, OPTION_STRING(range.until), "TIME", "only up to then" },
	{ "tail", 'n', OPTION_STRING(range.tail), "N", "only the last N lines, or all" },
	{ "timestamps", 't', OPTION_FLAG(timestamps), NULL, "with the time of each line" },
	{ 0 },
};
#undef OPTIONS

static int print_all(struct monitor_log_reader *reader, struct cli_log_output *out, struct err *e)
{
	const struct monitor_log_record *record;
	int r;

	while ((r = monitor_log_next(reader, &record, e)) > 0)
		cli_log_print(out, record);
	if (fflush(stdout) != 0)
		return err_sys(e, "write to the standard output");
	return r;
}

static int follow(struct monitor_log_reader *reader, const struct engine_log *log,
		  struct cli_log_output *out, struct err *e)
{
	int watch = monitor_log_watch(reader, e);

	if (watch < 0)
		return watch;
	for (;;) {
		/* asked before the files are read, or the last lines could be missed */
		bool alive = engine_log_alive(log);
		struct pollfd polled = { .fd = watch, .events = POLLIN };
		int r = print_all(reader, out, e);
		if (r < 0 || !alive || monitor_log_past_end(reader))
			return r;
		if (poll(&polled, 1, ALIVE_CHECK_MS) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (polled.revents)
			monitor_log_settle(reader);
	}
}

static char *join_details(const struct shape_map *details)
{
	own_clear(strv_clear) struct strv pairs = { 0 };

	for (size_t i = 0; i < details->count; i++)
		strv_addf(&pairs, "%s=%s", details->items[i].key, details->items[i].value);
	return strv_join(&pairs, ",");
}

static int print_journal(struct cli_journal *journal, bool wait, struct cli_log_output *out,
			 struct err *e)
{
	const struct monitor_log_record *record;
	int r;

	while ((r = cli_journal_next(journal, wait, &record, e)) > 0)
		cli_log_print(out, record);
	if (fflush(stdout) != 0)
		return err_sys(e, "write to the standard output");
	return r;
}

static int follow_journal(struct cli_journal *journal, const struct engine_log *log,
			  struct cli_log_output *out, struct err *e)
{
	for (;;) {
		/* asked before: what it wrote until then is read still */
		bool alive = engine_log_alive(log);
		struct pollfd polled = { .fd = cli_journal_fd(journal), .events = POLLIN };
		int ready = poll(&polled, 1, ALIVE_CHECK_MS);
		if (ready < 0 && errno != EINTR)
			return err_sys(e, "poll");
		int r = print_journal(journal, false, out, e);
		if (r < 0 || (!alive && ready == 0) || cli_journal_fd(journal) < 0)
			return r;
	}
}

static int show_journal(const struct engine_log *log, const struct monitor_log_range *range,
			bool follow, struct cli_log_output *out, struct err *e)
{
	own(cli_journal_close) struct cli_journal *journal = NULL;

	int r = cli_journal_open(&journal, log->id, range, follow, e);
	if (r < 0)
		return r;
	return follow ? follow_journal(journal, log, out, e) : print_journal(journal, true, out, e);
}

static int show(struct engine_log *log, const struct logs_options *o, struct err *e)
{
	struct monitor_log_range range = { 0 };
	struct monitor_log_reader *reader;
	own_free char *details = o->details ? join_details(&log->details) : NULL;
	struct cli_log_output out = { .timestamps = o->timestamps, .details = details };

	int r = cli_log_print_range(&range, &o->range, e);
	if (r == 0 && log->journal)
		return show_journal(log, &range, o->follow, &out, e);
	if (r == 0)
		r = monitor_log_open(&reader, log->folder_fd, &range, e);
	if (r < 0)
		return r;
	r = o->follow ? follow(reader, log, &out, e) : print_all(reader, &out, e);
	monitor_log_close(reader);
	return r;
}

static int run_logs(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;
	struct engine_log log = { .folder_fd = -1, .run_fd = -1 };

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_log_open(engine, args->items[0], &log, e);
	if (r < 0)
		return r;
	r = show(&log, options, e);
	engine_log_close(&log);
	return r;
}

const struct cli_command cli_logs = {
	.names = "logs|container logs",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Show what a container has written",
	.options = table,
	.size = sizeof(struct logs_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.which = CLI_WHICH_LATEST,
	.run = run_logs,
};
