#include "base/json_scan.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/utf8.h"

/* json-c counts the value inside the innermost bracket as one more level. */
enum { DEPTH_MAX = JSON_DEPTH_MAX - 1 };

struct json_scan json_scan_begin(const char *text, size_t length)
{
	return (struct json_scan){ text, text, text + length, 0, false };
}

static int refuse(const struct json_scan *s, const char *why, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "not JSON at byte %zu: %s", (size_t)(s->at - s->start),
		       s->at < s->end ? why : "it ends too early");
}

/* The next byte; a NUL, which no JSON has outside of a string, at the end. */
static char next_byte(const struct json_scan *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static char skip_blanks(struct json_scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
	return next_byte(s);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- strings ---- */

/* The four digits behind \u, or -1. */
static int32_t unit_at(const char *at, const char *end)
{
	int32_t unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = number_hex_digit(at[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* The character of the \u escape at at, perhaps a surrogate pair; moves *at past it. -1: none. */
static int32_t unescape_unicode(const char **at, const char *end)
{
	int32_t high = unit_at(*at + 2, end);
	if (high < 0 || (high & 0xfc00) == 0xdc00)
		return -1;
	*at += 6;
	if ((high & 0xfc00) != 0xd800)
		return high;

	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return -1;
	int32_t low = unit_at(*at + 2, end);
	if (low < 0 || (low & 0xfc00) != 0xdc00)
		return -1;
	*at += 6;
	return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

/* The same for every escape. */
static int32_t unescape(const char **at, const char *end)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

	if (end - *at < 2)
		return -1;
	if ((*at)[1] == 'u')
		return unescape_unicode(at, end);
	const char *name = memchr(names, (*at)[1], sizeof(names) - 1);
	if (!name)
		return -1;
	*at += 2;
	return values[name - names];
}

/* ASCII that stands for itself: all printable characters but '"' and '\\'. */
static const bool plain[256] = {
	[0x20 ... '"' - 1] = true,
	['"' + 1 ... '\\' - 1] = true,
	['\\' + 1 ... 0x7e] = true,
};

static int scan_string(struct json_scan *s, struct err *e)
{
	for (s->at++;;) {
		while (s->at < s->end && plain[(unsigned char)*s->at])
			s->at++;
		char c = next_byte(s);
		if (c == '"')
			break;
		if (c == '\\') {
			if (unescape(&s->at, s->end) < 0)
				return refuse(s, "no such escape", e);
			continue;
		}
		if ((unsigned char)c < 0x20)
			return refuse(s, "a control character in a string", e);
		size_t length = utf8_length(s->at, (size_t)(s->end - s->at));
		if (!length)
			return refuse(s, "not UTF-8", e);
		s->at += length;
	}
	s->at++;
	return 0;
}

int json_scan_text(char **ret, struct json_span string, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	const char *at = string.text + 1, *end = string.text + string.length - 1;

	if (!memchr(at, '\\', (size_t)(end - at))) {
		*ret = mem_text_n(at, (size_t)(end - at));
		return 0;
	}
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *stop = escape ? escape : end;
		str_add_n(&text, at, (size_t)(stop - at));
		at = stop;
		if (!escape)
			break;
		int32_t code = unescape(&at, end);
		if (code <= 0)
			return err_set(e, ERR_CORRUPT, "a NUL byte in the string");
		utf8_add(&text, (uint32_t)code);
	}
	*ret = str_take(&text);
	return 0;
}

bool json_scan_strings(struct strv *to, const char *text)
{
	struct json_scan scan = json_scan_begin(text, strlen(text));
	own_clear(strv_clear) struct strv strings = { 0 };
	struct json_span span;
	struct err ignored;
	char *string;
	int r;

	if (json_scan_open(&scan, '[', &ignored) < 0)
		return false;
	while ((r = json_scan_next(&scan, ']', &ignored)) > 0) {
		if (json_scan_value(&scan, &span, &ignored) < 0 || *span.text != '"' ||
		    json_scan_text(&string, span, &ignored) < 0)
			return false;
		strv_add_take(&strings, string);
	}
	if (r < 0 || json_scan_end(&scan, &ignored) < 0)
		return false;
	strv_add_all(to, &strings);
	return true;
}

bool json_scan_is(struct json_span string, const char *text)
{
	size_t length = string.length - 2;

	return strncmp(string.text + 1, text, length) == 0 && !text[length];
}

/* ---- other values ---- */

static bool skip_digits(struct json_scan *s)
{
	const char *first = s->at;

	while (is_digit(next_byte(s)))
		s->at++;
	return s->at > first;
}

static int scan_number(struct json_scan *s, struct err *e)
{
	if (*s->at == '-')
		s->at++;
	bool good = true;
	if (next_byte(s) == '0')
		s->at++;
	else
		good = skip_digits(s);
	if (good && next_byte(s) == '.') {
		s->at++;
		good = skip_digits(s);
	}
	if (good && (next_byte(s) == 'e' || next_byte(s) == 'E')) {
		s->at++;
		if (next_byte(s) == '+' || next_byte(s) == '-')
			s->at++;
		good = skip_digits(s);
	}
	return good ? 0 : refuse(s, "not a number", e);
}

static int scan_word(struct json_scan *s, const char *word, struct err *e)
{
	size_t length = strlen(word);

	if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
		return refuse(s, "unexpected text", e);
	s->at += length;
	return 0;
}

static int scan_inside(struct json_scan *s, char bracket, struct err *e)
{
	char closing = bracket == '{' ? '}' : ']';
	struct json_span ignored;

	int r = json_scan_open(s, bracket, e);
	while (r == 0) {
		r = json_scan_next(s, closing, e);
		if (r <= 0)
			return r;
		r = bracket == '{' ? json_scan_key(s, &ignored, e) : 0;
		if (r == 0)
			r = json_scan_value(s, NULL, e);
	}
	return r;
}

char json_scan_peek(struct json_scan *s)
{
	char c = skip_blanks(s);

	return is_digit(c) ? '-' : c;
}

static int scan_any(struct json_scan *s, char first, struct err *e)
{
	switch (first) {
	case '{':
	case '[':
		return scan_inside(s, first, e);
	case '"':
		return scan_string(s, e);
	case '-':
		return scan_number(s, e);
	case 't':
		return scan_word(s, "true", e);
	case 'f':
		return scan_word(s, "false", e);
	case 'n':
		return scan_word(s, "null", e);
	default:
		return refuse(s, "unexpected text", e);
	}
}

int json_scan_value(struct json_scan *s, struct json_span *ret, struct err *e)
{
	char first = json_scan_peek(s);
	const char *start = s->at;

	int r = scan_any(s, first, e);
	if (r < 0)
		return r;
	s->separate = true;
	if (ret)
		*ret = (struct json_span){ start, (size_t)(s->at - start) };
	return 0;
}

/* ---- in objects and arrays ---- */

int json_scan_open(struct json_scan *s, char bracket, struct err *e)
{
	if (skip_blanks(s) != bracket)
		return refuse(s, "unexpected text", e);
	if (s->depth == DEPTH_MAX)
		return refuse(s, "nested too deep", e);
	s->at++;
	s->depth++;
	s->separate = false;
	return 0;
}

int json_scan_next(struct json_scan *s, char closing, struct err *e)
{
	char c = skip_blanks(s);

	if (c == closing) {
		s->at++;
		s->depth--;
		s->separate = true;
		return 0;
	}
	if (s->separate && c != ',')
		return refuse(s, "no comma between two values", e);
	s->at += s->separate;
	return 1;
}

int json_scan_key(struct json_scan *s, struct json_span *ret, struct err *e)
{
	if (skip_blanks(s) != '"')
		return refuse(s, "no name of a member", e);
	const char *start = s->at;
	int r = scan_string(s, e);
	if (r < 0)
		return r;
	*ret = (struct json_span){ start, (size_t)(s->at - start) };
	if (skip_blanks(s) != ':')
		return refuse(s, "no colon behind a name", e);
	s->at++;
	s->separate = false;
	return 0;
}

int json_scan_end(struct json_scan *s, struct err *e)
{
	skip_blanks(s);
	if (s->at < s->end)
		return err_set(e, ERR_CORRUPT, "not JSON at byte %zu: more text after the value",
			       (size_t)(s->at - s->start));
	return 0;
}
