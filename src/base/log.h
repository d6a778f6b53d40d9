/* log.h - the few lines that are not the answer: warnings, and the steps under --debug. What main()
 * sets once, before the first line, is the one mutable file-level variable of holm. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

enum log_format {
	LOG_FORMAT_PLAIN,   /* "holm: warning: no such thing", "holm: a failure" */
	LOG_FORMAT_TEXT,    /* time="2026-11-22T12:00:00Z" level=warning msg="no such thing" */
	LOG_FORMAT_JSON,    /* {"level":"warning","msg":"no such thing","time":"2026..."} */
	LOG_FORMAT_JOURNAL, /* fields of systemd.journal-fields(7), for its socket */
	LOG_FORMAT_SYSLOG,  /* "<27>holm: no such thing", for /dev/log: RFC 3164, section 4.1 */
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Instead of plain lines on stderr: this descriptor, which stays the caller's, and this format;
 * the last two are those of Go's logrus, which engines read from their runtimes. */
void log_set_output(int fd, enum log_format format);

/* The name in front of plain lines, "holm" if nobody says another. Borrowed. */
void log_set_program(const char *name);

/* Each writes one line in one write(2), control characters shown as \xNN or as JSON does. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
