#include "cli/print.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/str.h"

/* The length of the UTF-8 sequence at text, 0 if it is none (too long, surrogate, beyond
 * U+10FFFF). RFC 3629, section 4. */
static size_t sequence(const unsigned char *text, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (length > left)
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

/* C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well. */
static bool is_control(const unsigned char *text, size_t length)
{
	return (length == 1 && (text[0] < 0x20 || text[0] == 0x7f)) ||
	       (length == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

static void clean(struct str *to, const char *from, size_t length, const char *keep)
{
	const unsigned char *text = (const unsigned char *)from;

	for (size_t i = 0; i < length;) {
		size_t n = sequence(text + i, length - i);
		bool kept = text[i] && strchr(keep, text[i]);
		if (n && (kept || !is_control(text + i, n))) {
			str_add_n(to, text + i, n);
			i += n;
			continue;
		}
		for (size_t end = i + (n ? n : 1); i < end; i++)
			str_addf(to, "\\x%02x", text[i]);
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

size_t cli_print_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
