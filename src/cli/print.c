#include "cli/print.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/utf8.h"

/* C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well. */
static bool is_control(const unsigned char *text, size_t length)
{
	return (length == 1 && (text[0] < 0x20 || text[0] == 0x7f)) ||
	       (length == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

/* Bytes at text that are printed as they are: ASCII without C0 and DEL. */
static size_t plain_run(const char *text, size_t length)
{
	size_t run = 0;

	while (run < length && text[run] >= 0x20 && text[run] < 0x7f)
		run++;
	return run;
}

static void clean(struct str *to, const char *text, size_t length, const char *keep)
{
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t i = 0; i < length;) {
		size_t run = plain_run(text + i, length - i);
		if (run) {
			str_add_n(to, text + i, run);
			i += run;
			continue;
		}
		size_t n = utf8_length(text + i, length - i);
		bool kept = text[i] && strchr(keep, text[i]);
		if (n && (kept || !is_control(bytes + i, n))) {
			str_add_n(to, text + i, n);
			i += n;
			continue;
		}
		for (size_t end = i + (n ? n : 1); i < end; i++)
			str_addf(to, "\\x%02x", bytes[i]);
	}
}

void cli_print_clean_to(struct str *to, const char *text, size_t length)
{
	clean(to, text, length, "");
}

void cli_print_clean(FILE *to, const char *text)
{
	own_clear(str_clear) struct str s = { 0 };

	clean(&s, text, strlen(text), "");
	fwrite(s.text, 1, s.length, to);
}

void cli_print_format(const char *text, size_t length)
{
	own_clear(str_clear) struct str s = { 0 };

	if (!isatty(STDOUT_FILENO)) {
		fwrite(text, 1, length, stdout);
		return;
	}
	clean(&s, text, length, "\n\t");
	fwrite(s.text, 1, s.length, stdout);
}

void cli_print_lines(const struct strv *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		cli_print_clean(stdout, lines->items[i]);
		putchar('\n');
	}
	fflush(stdout);
}

size_t cli_print_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

bool cli_print_colors(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return str_empty(no) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}
