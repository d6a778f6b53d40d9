#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void str_clear(struct str *s)
{
	free(s->text);
	*s = (struct str){ 0 };
}

char *str_room(struct str *s, size_t extra)
{
	size_t needed = s->length + extra + 1;

	if (needed > s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		if (capacity < needed)
			capacity = needed;
		s->text = mem_resize(s->text, capacity, 1);
		s->capacity = capacity;
	}
	return s->text + s->length;
}

void str_add_n(struct str *s, const void *bytes, size_t length)
{
	char *to = str_room(s, length);

	if (length)
		memcpy(to, bytes, length);
	to[length] = '\0';
	s->length += length;
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_n(s, &c, 1);
}

void str_addf(struct str *s, const char *format, ...)
{
	va_list ap, again;

	va_start(ap, format);
	va_copy(again, ap);
	int length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length > 0) {
		vsnprintf(str_room(s, (size_t)length), (size_t)length + 1, format, again);
		s->length += (size_t)length;
	}
	va_end(again);
}

char *str_take(struct str *s)
{
	char *text = s->text ? s->text : mem_text("");

	*s = (struct str){ 0 };
	return text;
}

bool str_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool str_is_name(const char *text, size_t length_max)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strspn(text, allowed);

	return length > 0 && length <= length_max && !text[length] && !strchr("_.-", text[0]);
}
