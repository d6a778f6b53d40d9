#include "build/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/board.h"

enum { LINE_MAX_BYTES = 8192 /* a longer one is shown in pieces */ };

struct build_progress {
	enum build_progress_kind kind;
	struct build_board *board; /* on a terminal */
	int64_t began_ns;          /* the step */
	bool was_cached;
	char *text;       /* of the step */
	struct str line;  /* what has no newline yet */
	struct strv last; /* lines */
};

int build_progress_kind_find(enum build_progress_kind *ret, const char *name, bool quiet,
			     struct err *e)
{
	bool terminal = isatty(STDERR_FILENO);

	if (quiet || str_equal(name, "quiet") || str_equal(name, "none"))
		*ret = BUILD_PROGRESS_QUIET;
	else if (!name || str_equal(name, "auto"))
		*ret = terminal ? BUILD_PROGRESS_TERMINAL : BUILD_PROGRESS_PLAIN;
	else if (str_equal(name, "plain"))
		*ret = BUILD_PROGRESS_PLAIN;
	else if (str_equal(name, "tty"))
		*ret = BUILD_PROGRESS_TERMINAL;
	else if (str_equal(name, "json") || str_equal(name, "rawjson"))
		*ret = BUILD_PROGRESS_JSON;
	else
		return err_set(e, ERR_INVALID,
			       "--progress %s: none of auto, plain, tty, json, quiet", name);
	return 0;
}

struct build_progress *build_progress_new(enum build_progress_kind kind)
{
	struct build_progress *progress = mem_new_struct(struct build_progress);

	progress->kind = kind;
	if (kind == BUILD_PROGRESS_TERMINAL)
		progress->board = build_board_new();
	return progress;
}

void build_progress_free(struct build_progress *progress)
{
	if (!progress)
		return;
	str_clear(&progress->line);
	strv_clear(&progress->last);
	build_board_free(progress->board);
	free(progress->text);
	free(progress);
}

/* What a container or a Dockerfile says is not to steer the terminal: control characters go. */
static bool is_shown(char c)
{
	return ((unsigned char)c >= ' ' && c != 127) || c == '\t';
}

static char *shown(const char *text)
{
	struct str line = { 0 };

	for (; *text; text++)
		if (is_shown(*text))
			str_add_char(&line, *text);
	return str_take(&line);
}

static double seconds(const struct build_progress *progress)
{
	return (double)(moment_monotonic_ns() - progress->began_ns) / 1e9;
}

/* In one write, so that two stages do not mix their lines. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char text[LINE_MAX_BYTES + 256];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n;
	if (length >= sizeof(text)) {
		length = sizeof(text) - 1;
		text[length - 1] = '\n'; /* it is cut, and a line all the same */
	}
	fd_write_all(STDERR_FILENO, text, length);
}

/* One line of JSON: what became of a step, or what it said. */
static void say_json(const struct build_progress *progress, int number, const char *state,
		     const char *text)
{
	own_json struct json_object *object = json_object_new_object();

	json_object_object_add(object, "step", json_object_new_int(number));
	json_object_object_add(object, "state", json_object_new_string(state));
	json_object_object_add(object, "seconds", json_object_new_double(seconds(progress)));
	if (text)
		json_object_object_add(object, "text", json_object_new_string(text));
	/* never cut: that would be no JSON */
	own_free char *line = mem_format("%s\n", json_text(object));
	fd_write_all(STDERR_FILENO, line, strlen(line));
}

static void say_state(const struct build_progress *progress, int number, const char *state)
{
	char took[32];

	snprintf(took, sizeof(took), " %.1fs", seconds(progress));
	switch (progress->kind) {
	case BUILD_PROGRESS_PLAIN:
		if (str_equal(state, "DONE"))
			say("#%d DONE%s\n", number, took);
		else
			say("#%d %s\n", number, state);
		break;
	case BUILD_PROGRESS_TERMINAL:
		build_board_end(progress->board, number, progress->text ? progress->text : "",
				str_equal(state, "DONE") ? took : state);
		break;
	case BUILD_PROGRESS_JSON:
		say_json(progress, number, state, NULL);
		break;
	default:
		break;
	}
}

void build_progress_begin(struct build_progress *progress, int number, const char *text)
{
	progress->began_ns = moment_monotonic_ns();
	progress->was_cached = false;
	free(progress->text);
	progress->text = shown(text);
	strv_clear(&progress->last);
	if (progress->kind == BUILD_PROGRESS_PLAIN)
		say("#%d %s\n", number, progress->text);
	else if (progress->kind == BUILD_PROGRESS_TERMINAL)
		build_board_show(progress->board, number, progress->text, NULL);
	else if (progress->kind == BUILD_PROGRESS_JSON)
		say_json(progress, number, "BEGUN", text);
}

/* ---- output of containers ---- */

static void end_line(struct build_progress *progress, int number)
{
	own_free char *line = str_take(&progress->line);

	if (progress->kind == BUILD_PROGRESS_PLAIN)
		say("#%d %.3f %s\n", number, seconds(progress), line);
	else if (progress->kind == BUILD_PROGRESS_TERMINAL)
		build_board_show(progress->board, number, progress->text ? progress->text : "",
				 line);
	else if (progress->kind == BUILD_PROGRESS_JSON)
		say_json(progress, number, "OUTPUT", line);
	if (progress->last.count == BUILD_PROGRESS_LAST_LINES)
		strv_remove(&progress->last, 0);
	strv_add_take(&progress->last, take_ptr(&line));
}

void build_progress_output(struct build_progress *progress, int number, const char *bytes,
			   size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n' || progress->line.length >= LINE_MAX_BYTES)
			end_line(progress, number);
		if (is_shown(bytes[i]))
			str_add_char(&progress->line, bytes[i]);
	}
}

/* ---- the end of a step ---- */

void build_progress_cached(struct build_progress *progress, int number)
{
	progress->was_cached = true;
	say_state(progress, number,
		  progress->kind == BUILD_PROGRESS_TERMINAL ? " CACHED" : "CACHED");
}

void build_progress_done(struct build_progress *progress, int number)
{
	if (progress->line.length)
		end_line(progress, number);
	if (!progress->was_cached)
		say_state(progress, number, "DONE");
}

void build_progress_note(struct build_progress *progress, int number, const char *format, ...)
{
	char whole[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(whole, sizeof(whole), format, args);
	va_end(args);
	own_free char *text = shown(whole);
	if (progress->kind == BUILD_PROGRESS_JSON)
		say_json(progress, number, "NOTE", text);
	else if (progress->kind == BUILD_PROGRESS_TERMINAL)
		build_board_note(progress->board, text);
	else if (progress->kind == BUILD_PROGRESS_PLAIN)
		say("#%d %s\n", number, text);
}

/* Where they were not seen, or only for a moment, the last lines come again. */
void build_progress_failed(struct build_progress *progress, int number)
{
	if (progress->line.length)
		end_line(progress, number);
	say_state(progress, number, progress->kind == BUILD_PROGRESS_TERMINAL ? " ERROR" : "ERROR");
	if (progress->kind != BUILD_PROGRESS_QUIET && progress->kind != BUILD_PROGRESS_TERMINAL)
		return;
	for (size_t i = 0; i < progress->last.count; i++)
		say("%s\n", progress->last.items[i]);
}

void build_progress_tick(struct build_progress *progress)
{
	build_board_tick(progress->board);
}

void build_progress_leave(struct build_progress *progress)
{
	build_board_leave(progress->board);
}
