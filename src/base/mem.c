#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die(void)
{
	static const char text[] = "holm: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(125);
}

void *mem_new(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);
	if (!p)
		die();
	return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size);
	if (!p)
		die();
	return p;
}

char *mem_text_n(const char *text, size_t length)
{
	char *copy = mem_resize(NULL, length + 1, 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *mem_text(const char *text)
{
	return text ? mem_text_n(text, strlen(text)) : NULL;
}

char *mem_format(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	int length = vasprintf(&text, format, ap);
	va_end(ap);
	if (length < 0)
		die();
	return text;
}

void mem_replace(char **field, const char *text)
{
	char *copy = mem_text(text); /* first: text may point into *field */

	free(*field);
	*field = copy;
}
