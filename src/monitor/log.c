#include "monitor/log.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/moment.h"
#include "monitor/log_record.h"

static const char *const stream_names[] = {
	[MONITOR_LOG_STDOUT] = "stdout",
	[MONITOR_LOG_STDERR] = "stderr",
	[MONITOR_LOG_NOTICE] = "holm",
};

enum { STREAMS = sizeof(stream_names) / sizeof(stream_names[0]) };

/* ---- UTF-8 ---- */

/* How long the character at text is, 1 to 4; 0: it is none; -1: it may go on after the end. The
 * ranges of the second byte keep out overlong forms, surrogates and what is above U+10FFFF
 * (Unicode 15, table 3-7). */
static int character_length(const unsigned char *text, size_t length)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < size; i++, low = 0x80, high = 0xbf) {
		if (i >= length)
			return -1;
		if (text[i] < low || text[i] > high)
			return 0;
	}
	return (int)size;
}

static bool is_utf8(const unsigned char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		int size = character_length(text + i, length - i);
		if (size <= 0)
			return false;
		i += (size_t)size;
	}
	return true;
}

size_t monitor_log_cut(const void *bytes, size_t length)
{
	const unsigned char *text = bytes;

	for (size_t back = 1; back <= 3 && back < length; back++) {
		unsigned char byte = text[length - back];
		if (byte >= 0xc0)
			return character_length(text + length - back, back) < 0 ? length - back
										: length;
		if (byte < 0x80)
			break;
	}
	return length;
}

/* ---- writing ---- */

static void add_escaped(struct str *to, const unsigned char *text, size_t length)
{
	static const char short_forms[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};
	size_t plain = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = text[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		str_add_n(to, text + plain, i - plain);
		plain = i + 1;
		str_add_char(to, '\\');
		if (c >= 0x20)
			str_add_char(to, (char)c);
		else if (c < sizeof(short_forms) && short_forms[c])
			str_add_char(to, short_forms[c]);
		else
			str_addf(to, "u%04x", c);
	}
	str_add_n(to, text + plain, length - plain);
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct str *to, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		unsigned group = (unsigned)bytes[i] << 16;
		group |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;

		char *out = str_room(to, 4);
		out[0] = base64_digits[group >> 18];
		out[1] = base64_digits[group >> 12 & 63];
		out[2] = left > 1 ? base64_digits[group >> 6 & 63] : '=';
		out[3] = left > 2 ? base64_digits[group & 63] : '=';
		to->length += 4;
	}
}

void monitor_log_format(struct str *to, enum monitor_log_stream stream, const char *time,
			const char *attrs, const void *bytes, size_t length)
{
	if (is_utf8(bytes, length)) {
		str_add(to, "{\"log\":\"");
		add_escaped(to, bytes, length);
	} else {
		str_add(to, "{\"base64\":\"");
		add_base64(to, bytes, length);
	}
	str_add(to, "\",\"stream\":\"");
	str_add(to, stream_names[stream]);
	if (*attrs) {
		str_add(to, "\",\"attrs\":");
		str_add(to, attrs);
		str_add(to, ",\"time\":\"");
	} else {
		str_add(to, "\",\"time\":\"");
	}
	str_add(to, time);
	str_add(to, "\"}\n");
}

/* ---- parsing ---- */

static int add_from_base64(struct str *to, const char *text, size_t length)
{
	if (length % 4)
		return -EBADMSG;
	for (size_t i = 0; i < length; i += 4) {
		bool last = i + 4 == length;
		size_t bytes = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 1 : 2) : 3;
		unsigned group = 0;

		for (size_t k = 0; k < 4; k++) {
			const char *digit = memchr(base64_digits, text[i + k], 64);
			if (!digit && k <= bytes)
				return -EBADMSG;
			group = group << 6 | (k <= bytes ? (unsigned)(digit - base64_digits) : 0);
		}
		for (size_t k = 0; k < bytes; k++)
			str_add_char(to, (char)(unsigned char)(group >> (16 - 8 * k)));
	}
	return 0;
}

/* Borrowed; NULL if it is no string. */
static const char *member(struct json_object *object, const char *name, size_t *ret_length)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	*ret_length = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static int parse_stream(enum monitor_log_stream *ret, const char *name)
{
	for (int i = 0; name && i < STREAMS; i++)
		if (strcmp(stream_names[i], name) == 0) {
			*ret = i;
			return 0;
		}
	return -EBADMSG;
}

int monitor_log_parse(struct monitor_log_record *record, const char *line, size_t length,
		      struct err *e)
{
	own_json struct json_object *object = NULL;
	enum monitor_log_stream stream;
	size_t size;
	int64_t time;

	if (length > MONITOR_LOG_RECORD_MAX)
		return err_set(e, ERR_CORRUPT, "log: a record of %zu bytes", length);
	int r = json_parse(&object, line, length, "log", e);
	if (r < 0)
		return r;
	if (!json_object_is_type(object, json_type_object) ||
	    parse_stream(&stream, member(object, "stream", &size)) < 0)
		return err_set(e, ERR_CORRUPT, "log: a record without stream");
	const char *text = member(object, "time", &size);
	if (!text || moment_parse(&time, text, e) < 0)
		return err_set(e, ERR_CORRUPT, "log: a record without time");

	record->text.length = 0;
	if ((text = member(object, "log", &size)))
		str_add_n(&record->text, text, size);
	else if (!(text = member(object, "base64", &size)) ||
		 add_from_base64(&record->text, text, size) < 0)
		return err_set(e, ERR_CORRUPT, "log: a record without text");
	record->stream = stream;
	record->time_ns = time;
	return 0;
}
