/* The bytes as a line of a log file: parsed or refused. And as output: its record gives exactly
 * them back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "monitor/log_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void round_trip(const uint8_t *bytes, size_t length)
{
	own_clear(str_clear) struct str line = { 0 };
	struct monitor_log_record record = { 0 };
	struct err e;

	monitor_log_format(&line, MONITOR_LOG_STDERR, "2026-11-22T14:00:00.5Z",
			   length % 2 ? "" : "{\"tag\":\"x\"}", bytes, length);
	assert(line.length <= MONITOR_LOG_RECORD_MAX);
	assert(monitor_log_parse(&record, line.text, line.length, &e) == 0);
	assert(record.stream == MONITOR_LOG_STDERR && record.text.length == length);
	assert(!length || memcmp(record.text.text, bytes, length) == 0);
	str_clear(&record.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct monitor_log_record record = { 0 };
	struct err e;

	if (monitor_log_parse(&record, (const char *)bytes, length, &e) < 0)
		assert(e.kind == ERR_CORRUPT);
	str_clear(&record.text);
	if (length <= MONITOR_LOG_PART_MAX) {
		size_t cut = length ? monitor_log_cut(bytes, length) : 0;
		assert(cut <= length && length - cut <= 3 && (!length || cut));
		round_trip(bytes, length);
	}
	return 0;
}
