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
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "monitor/log.h"

enum { READ_BYTES = 64 << 10, NO_PROGRAM = 127 };

struct cli_journal {
	pid_t child; /* journalctl; 0: it has been waited for */
	int fd;
	bool ended;
	struct str text; /* of which whole lines are taken */
	size_t at;       /* where the next one begins */
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

/* 0: it is none of a container. */
static int take_line(struct cli_journal *j, const char *line, size_t length)
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
	return 1;
}

/* 0: there is no whole line that has not been taken. */
static int take_next(struct cli_journal *j)
{
	const char *end;

	while (j->at < j->text.length &&
	       (end = memchr(j->text.text + j->at, '\n', j->text.length - j->at))) {
		const char *line = j->text.text + j->at;
		j->at = (size_t)(end - j->text.text) + 1;
		if (take_line(j, line, (size_t)(end - line)))
			return 1;
	}
	if (j->at)
		memmove(j->text.text, j->text.text + j->at, j->text.length - j->at);
	j->text.length -= j->at;
	j->at = 0;
	return 0;
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

/* Waits for journalctl, which has said all. */
static int end(struct cli_journal *j, struct err *e)
{
	int status = j->child ? process_wait(j->child) : 0;

	j->child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PROGRAM)
		return err_set(e, ERR_UNSUPPORTED,
			       "the log is in the journal, and there is no journalctl(1) here");
	return 0;
}

/* 0: nothing has come, or nothing will. */
static int read_some(struct cli_journal *j, bool wait, struct err *e)
{
	struct pollfd polled = { .fd = j->fd, .events = POLLIN };

	if (j->ended)
		return 0;
	if (poll(&polled, 1, wait ? -1 : 0) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	if (!polled.revents)
		return wait;
	ssize_t n = read(j->fd, str_room(&j->text, READ_BYTES), READ_BYTES);
	if (n < 0)
		return err_sys(e, "read what journalctl says");
	j->text.length += (size_t)n;
	j->ended = n == 0;
	return n ? 1 : end(j, e);
}

_Noreturn static void exec_journalctl(int output, char *const *argv)
{
	process_reset_signals();
	dup2(output, STDOUT_FILENO);
	execvp(argv[0], argv);
	_exit(NO_PROGRAM);
}

int cli_journal_open(struct cli_journal **ret, const char *id,
		     const struct monitor_log_range *range, bool follow, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	int ends[2];

	add_arguments(&arguments, id, range, follow);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exec_journalctl(ends[1], arguments.items);
	close(ends[1]);
	own_fd int from = ends[0];
	if (child < 0)
		return err_sys(e, "start journalctl");
	struct cli_journal *j = mem_new_struct(struct cli_journal);
	j->child = child;
	j->fd = take_fd(&from);
	*ret = j;
	return 0;
}

void cli_journal_close(struct cli_journal *j)
{
	close(j->fd);
	if (j->child) {
		kill(j->child, SIGTERM);
		process_wait(j->child);
	}
	str_clear(&j->text);
	str_clear(&j->record.text);
	free(j);
}

int cli_journal_fd(const struct cli_journal *j)
{
	return j->ended ? -1 : j->fd;
}

int cli_journal_next(struct cli_journal *j, bool wait, const struct monitor_log_record **ret,
		     struct err *e)
{
	int r = 1;

	while (r > 0 && !take_next(j))
		r = read_some(j, wait, e);
	if (r > 0)
		*ret = &j->record;
	return r;
}
