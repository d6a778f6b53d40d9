#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"

static struct {
	enum log_level level;
	enum log_format format;
	int fd;
	const char *program;
} to = { LOG_LEVEL_WARNING, LOG_FORMAT_PLAIN, STDERR_FILENO, "holm" };

static const char *const labels[] = { "error", "warning", "debug" };

void log_set_level(enum log_level level)
{
	to.level = level;
}

enum log_level log_get_level(void)
{
	return to.level;
}

void log_set_output(int fd, enum log_format format)
{
	to.fd = fd;
	to.format = format;
}

void log_set_program(const char *name)
{
	to.program = name;
}

/* Names come from images and registries: no byte of them may steer the terminal. */
static void add_clean(struct str *line, const char *text)
{
	for (const char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte < 0x20 || byte == 0x7f)
			str_addf(line, "\\x%02x", byte);
		else if ((*c == '"' || *c == '\\') && to.format == LOG_FORMAT_TEXT)
			str_addf(line, "\\%c", *c);
		else
			str_add_char(line, *c);
	}
}

static void add_json(struct str *line, const char *label, const char *text)
{
	own_json struct json_object *object = json_object_new_object();
	char moment[MOMENT_TEXT_SIZE];

	moment_format(moment, moment_now_ns());
	json_object_object_add(object, "level", json_object_new_string(label));
	json_object_object_add(object, "msg", json_object_new_string(text));
	json_object_object_add(object, "time", json_object_new_string(moment));
	str_add(line, json_text(object));
}

static void add_text(struct str *line, const char *label, const char *text)
{
	char moment[MOMENT_TEXT_SIZE];

	moment_format(moment, moment_now_ns());
	str_addf(line, "time=\"%s\" level=%s msg=\"", moment, label);
	add_clean(line, text);
	str_add_char(line, '"');
}

/* syslog(3)'s numbers: LOG_ERR, LOG_WARNING, LOG_DEBUG; the facility is LOG_DAEMON. */
static int priority(const char *label)
{
	return *label == 'e' ? 3 : *label == 'w' ? 4 : 7;
}

static void add_journal(struct str *line, const char *label, const char *text)
{
	str_addf(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", priority(label), to.program);
	add_clean(line, text);
}

static void add_syslog(struct str *line, const char *label, const char *text)
{
	str_addf(line, "<%d>%s: ", 3 << 3 | priority(label), to.program);
	add_clean(line, text);
}

static void add_plain(struct str *line, const char *label, const char *text)
{
	str_addf(line, "%s: ", to.program);
	if (strcmp(label, labels[LOG_LEVEL_ERROR]) != 0)
		str_addf(line, "%s: ", label);
	add_clean(line, text);
}

static void write_line(enum log_level level, const char *format, va_list ap)
{
	static void (*const add[])(struct str * line, const char *label,
				   const char *text) = { add_plain, add_text, add_json, add_journal,
							 add_syslog };
	own_clear(str_clear) struct str line = { 0 };
	char text[2048];

	if (to.level < level)
		return;
	vsnprintf(text, sizeof(text), format, ap);
	add[to.format](&line, labels[level], text);
	str_add_char(&line, '\n');
	fd_write_all(to.fd, line.text, line.length);
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(LOG_LEVEL_ERROR, format, ap);
	va_end(ap);
}

void log_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(LOG_LEVEL_WARNING, format, ap);
	va_end(ap);
}

void log_debug(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(LOG_LEVEL_DEBUG, format, ap);
	va_end(ap);
}
