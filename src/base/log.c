#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level current = LOG_LEVEL_WARNING;

void log_set_level(enum log_level level)
{
	current = level;
}

enum log_level log_get_level(void)
{
	return current;
}

/* Names come from images and registries: no byte of them may steer the terminal. */
static void write_line(const char *label, const char *format, va_list ap)
{
	char text[2048], line[4096];

	vsnprintf(text, sizeof(text), format, ap);
	int n = snprintf(line, sizeof(line), "holm: %s: ", label);
	size_t length = n > 0 ? (size_t)n : 0;
	for (const char *c = text; *c && length + 6 < sizeof(line); c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte < 0x20 || byte == 0x7f)
			length += (size_t)snprintf(line + length, 5, "\\x%02x", byte);
		else
			line[length++] = *c;
	}
	line[length++] = '\n';
	(void)!write(STDERR_FILENO, line, length);
}

void log_warning(const char *format, ...)
{
	va_list ap;

	if (current < LOG_LEVEL_WARNING)
		return;
	va_start(ap, format);
	write_line("warning", format, ap);
	va_end(ap);
}

void log_debug(const char *format, ...)
{
	va_list ap;

	if (current < LOG_LEVEL_DEBUG)
		return;
	va_start(ap, format);
	write_line("debug", format, ap);
	va_end(ap);
}
