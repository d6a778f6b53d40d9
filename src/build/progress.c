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
#include "base/mem.h"
#include "base/moment.h"
#include "base/str.h"
#include "base/strv.h"

enum { LINE_MAX_BYTES = 8192 }; /* a longer one is shown in pieces */

struct build_progress {
	bool quiet;
	int64_t began_ns; /* the step */
	bool was_cached;
	struct str line;  /* what has no newline yet */
	struct strv last; /* lines */
};

struct build_progress *build_progress_new(int quiet)
{
	struct build_progress *progress = mem_new_struct(struct build_progress);

	progress->quiet = quiet;
	return progress;
}

void build_progress_free(struct build_progress *progress)
{
	str_clear(&progress->line);
	strv_clear(&progress->last);
	free(progress);
}

/* In one write, so that two stages do not mix their lines. */
static void say(const struct build_progress *progress, const struct str *text)
{
	if (!progress->quiet)
		fd_write_all(STDERR_FILENO, text->text, text->length);
}

static void say_line(const struct build_progress *progress, int number, const char *text)
{
	struct str line = { 0 };

	str_addf(&line, "#%d %s\n", number, text);
	say(progress, &line);
	str_clear(&line);
}

static double seconds(const struct build_progress *progress)
{
	return (double)(moment_monotonic_ns() - progress->began_ns) / 1e9;
}

void build_progress_begin(struct build_progress *progress, int number, const char *text)
{
	progress->began_ns = moment_monotonic_ns();
	progress->was_cached = false;
	strv_clear(&progress->last);
	say_line(progress, number, text);
}

/* What a container says is not to steer the terminal: its colours and carriage returns stay, other
 * control characters go, as an escape sequence can be more than colour. */
static void end_line(struct build_progress *progress, int number)
{
	struct str line = { 0 };

	str_addf(&line, "#%d %.3f ", number, seconds(progress));
	str_add_n(&line, progress->line.text, progress->line.length);
	str_add_char(&line, '\n');
	say(progress, &line);
	str_clear(&line);
	if (progress->last.count == BUILD_PROGRESS_LAST_LINES)
		strv_remove(&progress->last, 0);
	strv_add_take(&progress->last, str_take(&progress->line));
}

static bool is_shown(char c)
{
	return (unsigned char)c >= ' ' || c == '\t';
}

void build_progress_output(struct build_progress *progress, int number, const char *bytes,
			   size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n' || progress->line.length >= LINE_MAX_BYTES)
			end_line(progress, number);
		if (is_shown(bytes[i]) && bytes[i] != 127)
			str_add_char(&progress->line, bytes[i]);
	}
}

void build_progress_cached(struct build_progress *progress, int number)
{
	progress->was_cached = true;
	say_line(progress, number, "CACHED");
}

void build_progress_done(struct build_progress *progress, int number)
{
	char text[64];

	if (progress->line.length)
		end_line(progress, number);
	if (progress->was_cached)
		return;
	snprintf(text, sizeof(text), "DONE %.1fs", seconds(progress));
	say_line(progress, number, text);
}

void build_progress_note(struct build_progress *progress, int number, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_line(progress, number, text);
}

void build_progress_failed(struct build_progress *progress, int number)
{
	if (progress->line.length)
		end_line(progress, number);
	say_line(progress, number, "ERROR");
	if (!progress->quiet)
		return;
	for (size_t i = 0; i < progress->last.count; i++)
		dprintf(STDERR_FILENO, "%s\n", progress->last.items[i]);
}
