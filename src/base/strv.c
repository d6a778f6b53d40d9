#include "base/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

void strv_clear(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}

void strv_add_take(struct strv *v, char *text)
{
	/* with the NULL, count + 1 are there: room doubles at powers of two */
	if ((v->count & (v->count + 1)) == 0)
		v->items = mem_resize(v->items, 2 * (v->count + 1), sizeof(char *));
	v->items[v->count++] = text;
	v->items[v->count] = NULL;
}

void strv_add(struct strv *v, const char *text)
{
	strv_add_take(v, mem_text(text));
}

void strv_addf(struct strv *v, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	int length = vasprintf(&text, format, ap);
	va_end(ap);
	if (length >= 0)
		strv_add_take(v, text);
}

void strv_add_all(struct strv *v, const struct strv *more)
{
	for (size_t i = 0; i < more->count; i++)
		strv_add(v, more->items[i]);
}

bool strv_contains(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], text) == 0)
			return true;
	return false;
}

void strv_remove(struct strv *v, size_t index)
{
	free(v->items[index]);
	memmove(v->items + index, v->items + index + 1, (v->count - index) * sizeof(char *));
	v->count--;
}

int strv_find_key(const struct strv *v, const char *key)
{
	size_t length = strcspn(key, "=");

	for (size_t i = 0; i < v->count; i++) {
		const char *item = v->items[i];
		if (strncmp(item, key, length) == 0 && (item[length] == '=' || !item[length]))
			return (int)i;
	}
	return -1;
}

const char *strv_value(const struct strv *v, const char *key)
{
	int index = strv_find_key(v, key);
	if (index < 0)
		return NULL;

	const char *equals = strchr(v->items[index], '=');
	return equals ? equals + 1 : "";
}

void strv_set(struct strv *v, const char *assignment)
{
	int index = strv_find_key(v, assignment);

	if (index < 0)
		strv_add(v, assignment);
	else
		mem_replace(&v->items[index], assignment);
}

void strv_split(struct strv *v, const char *text, char separator)
{
	while (*text) {
		const char *end = strchrnul(text, separator);
		strv_add_take(v, mem_text_n(text, (size_t)(end - text)));
		if (!*end)
			return;
		text = end + 1;
		if (!*text)
			strv_add(v, "");
	}
}

char *strv_join(const struct strv *v, const char *between)
{
	own_clear(str_clear) struct str s = { 0 };

	for (size_t i = 0; i < v->count; i++) {
		if (i)
			str_add(&s, between);
		str_add(&s, v->items[i]);
	}
	return str_take(&s);
}
