#include "cli/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "monitor/log.h"

/* Between two questions whether the container still runs. */
enum { LOOK_MS = 250, READ_BYTES = 64 << 10, NO_PROGRAM = 127 };

struct journal {
	cli_journal_report *report;
	void *arg;
	struct str text; /* of which whole lines are taken */
	struct monitor_log_record record;
};

/* ---- a line of journalctl -o json ---- */

static const char *text_of(struct json_object *line, const char *name)
{
	struct json_object *value = json_object_object_get(line, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

/* What is no text comes as an array of bytes. */
static void take_message(struct str *to, struct json_object *message)
{
	to->length = 0;
	if (json_object_is_type(message, json_type_string))
		str_add_n(to, json_object_get_string(message),
			  (size_t)json_object_get_string_len(message));
	for (size_t i = 0;
	     json_object_is_type(message, json_type_array) && i < json_object_array_length(message);
	     i++)
		str_add_char(to, (char)json_object_get_int(json_object_array_get_idx(message, i)));
}

static int take_line(struct journal *j, const char *line, size_t length, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct err not_json;

	if (json_parse(&object, line, length, "journal", &not_json) < 0 ||
	    !json_object_is_type(object, json_type_object))
		return 0;
	take_message(&j->record.text, json_object_object_get(object, "MESSAGE"));
	if (!str_equal(text_of(object, "CONTAINER_PARTIAL_MESSAGE"), "true"))
		str_add_char(&j->record.text, '\n');
	j->record.stream = str_equal(text_of(object, "PRIORITY"), "3") ? MONITOR_LOG_STDERR
								       : MONITOR_LOG_STDOUT;
	j->record.time_ns = strtoll(text_of(object, "__REALTIME_TIMESTAMP"), NULL, 10) * 1000;
	return j->report(j->arg, &j->record, e);
}

static int take_lines(struct journal *j, struct err *e)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < j->text.length) {
		const char *line = j->text.text + at;
		const char *end = memchr(line, '\n', j->text.length - at);
		if (!end)
			break;
		r = take_line(j, line, (size_t)(end - line), e);
		at += (size_t)(end - line) + 1;
	}
	if (at)
		memmove(j->text.text, j->text.text + at, j->text.length - at);
	j->text.length -= at;
	return r;
}

/* ---- journalctl ---- */

static void add_arguments(struct strv *to, const char *id, const struct monitor_log_range *range,
			  bool follow)
{
	strv_add(to, "journalctl");
	strv_add(to, "--output=json");
	strv_add(to, "--all");
	strv_add(to, "--quiet");
	if (range->tail >= 0)
		strv_addf(to, "--lines=%" PRId64, range->tail);
	else if (follow)
		strv_add(to, "--no-tail");
	if (range->since_ns)
		strv_addf(to, "--since=@%" PRId64 ".%06" PRId64, range->since_ns / 1000000000,
			  range->since_ns % 1000000000 / 1000);
	if (range->until_ns)
		strv_addf(to, "--until=@%" PRId64 ".%06" PRId64, range->until_ns / 1000000000,
			  range->until_ns % 1000000000 / 1000);
	if (follow)
		strv_add(to, "--follow");
	strv_addf(to, "CONTAINER_ID_FULL=%s", id);
}

/* 1: more has come; 0: the end, or nothing in this time. */
static int read_some(struct journal *j, int fd, int wait_ms, bool *ended, struct err *e)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	if (poll(&polled, 1, wait_ms) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	if (!polled.revents)
		return 0;
	ssize_t n = read(fd, str_room(&j->text, READ_BYTES), READ_BYTES);
	if (n < 0)
		return err_sys(e, "read what journalctl says");
	j->text.length += (size_t)n;
	*ended = n == 0;
	int r = take_lines(j, e);
	return r < 0 ? r : n > 0;
}

static int relay(struct journal *j, int fd, bool (*goes_on)(void *arg), void *arg, struct err *e)
{
	bool ended = false;

	while (!ended) {
		/* asked before: what it wrote until then is read still */
		bool alive = goes_on && goes_on(arg);
		int r = read_some(j, fd, goes_on ? LOOK_MS : -1, &ended, e);
		if (r < 0 || (goes_on && !alive && r == 0))
			return r;
	}
	return 0;
}

_Noreturn static void exec_journalctl(int output, char *const *argv)
{
	process_reset_signals();
	dup2(output, STDOUT_FILENO);
	execvp(argv[0], argv);
	_exit(NO_PROGRAM);
}

static int run(struct journal *j, const struct strv *arguments, bool (*goes_on)(void *arg),
	       void *arg, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exec_journalctl(ends[1], arguments->items);
	close(ends[1]);
	own_fd int from = ends[0];
	if (child < 0)
		return err_sys(e, "start journalctl");
	int r = relay(j, from, goes_on, arg, e);
	kill(child, SIGTERM);
	int status = process_wait(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PROGRAM)
		return err_set(e, ERR_UNSUPPORTED,
			       "the log is in the journal, and there is no journalctl(1) here");
	return r;
}

int cli_journal_read(const char *id, const struct monitor_log_range *range,
		     bool (*goes_on)(void *arg), void *goes_on_arg, cli_journal_report *report,
		     void *report_arg, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct journal j = { .report = report, .arg = report_arg };

	add_arguments(&arguments, id, range, goes_on != NULL);
	int r = run(&j, &arguments, goes_on, goes_on_arg, e);
	str_clear(&j.text);
	str_clear(&j.record.text);
	return r;
}
