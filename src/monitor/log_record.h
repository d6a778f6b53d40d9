/* log_record.h - the writing half of the format that log.h describes; log_writer.c is its user. */
#pragma once
#include <stddef.h>

#include "monitor/log.h"

/* Appends one record and its newline. time is RFC 3339; length at most MONITOR_LOG_PART_MAX; attrs
 * an object of JSON, or "". */
void monitor_log_format(struct str *to, enum monitor_log_stream stream, const char *time,
			const char *attrs, const void *bytes, size_t length);

/* Where to cut bytes that go on later: length, or up to 3 less so that no character of UTF-8 is
 * cut in two (that would make base64 of both halves). */
size_t monitor_log_cut(const void *bytes, size_t length);
