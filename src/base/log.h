/* log.h - the few lines that are not the answer: warnings, and the steps under --debug. The
 * level is the one mutable file-level variable of holm; main() sets it once. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Both write one line to stderr, "holm: warning: ..." and "holm: debug: ...", control
 * characters shown as \xNN. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
