/* log.h - a container's log: files of JSON lines `log`, `log.1` (older), `log.2`... in its durable
 * folder, as Docker's json-file driver writes them:
 *	{"log":"text\n","stream":"stdout","time":"2026-11-22T12:00:00.123456789Z"}
 * with "attrs":{...} in front of the time, if --log-opt asked for labels, variables or a tag.
 * A line of output without its newline yet is cut at 16 KiB and its parts lack the "\n", as in
 * Docker. Unlike Docker, bytes that are not UTF-8 are kept: the record then has "base64" (RFC 4648
 * with padding) in the place of "log". A record of stream "holm" is a notice of the monitor, such
 * as how many lines a full disk cost. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;

enum monitor_log_stream {
	MONITOR_LOG_STDOUT,
	MONITOR_LOG_STDERR,
	MONITOR_LOG_NOTICE,
};

enum {
	MONITOR_LOG_PART_MAX = 16384,  /* bytes of output in one record; Docker's own number */
	MONITOR_LOG_ATTRS_MAX = 16384, /* bytes; longer ones are left out */
	/* base64 or \u00xx for each byte, and the rest of the record */
	MONITOR_LOG_RECORD_MAX = 6 * MONITOR_LOG_PART_MAX + MONITOR_LOG_ATTRS_MAX + 256,
	MONITOR_LOG_FILES_MAX = 1000, /* log.1 to log.999 */
};

struct monitor_log_record {
	enum monitor_log_stream stream;
	int64_t time_ns;
	struct str text; /* the bytes as they were written */
};

/* Parses one line of a log file, with or without its newline, into *record, whose text is
 * replaced. ERR_CORRUPT. */
int monitor_log_parse(struct monitor_log_record *record, const char *line, size_t length,
		      struct err *e);

/* ---- reading ---- */

struct monitor_log_range {
	int64_t tail;     /* the last so many lines; -1: all */
	int64_t since_ns; /* 0: from the beginning */
	int64_t until_ns; /* 0: to the end */
};

struct monitor_log_reader;

/* container_fd is the container's durable folder; it is duplicated. A log that is not there yet
 * is an empty one. */
int monitor_log_open(struct monitor_log_reader **ret, int container_fd,
		     const struct monitor_log_range *range, struct err *e);
void monitor_log_close(struct monitor_log_reader *reader);

/* The next record: 1 (borrowed until the next call), or 0: there is none now. Across rotated files.
 * A line that is not a record (a crash of the machine in the middle of a write) is skipped. */
int monitor_log_next(struct monitor_log_reader *reader, const struct monitor_log_record **ret,
		     struct err *e);

/* Is everything behind range.until_ns now? Then following has come to its end. */
bool monitor_log_past_end(const struct monitor_log_reader *reader);

/* To follow: a descriptor to poll for reading, owned by the reader; after it woke,
 * monitor_log_settle() and then monitor_log_next() until 0. Call it once before the first
 * monitor_log_next(), or lines written in between are noticed only with the next ones. */
int monitor_log_watch(struct monitor_log_reader *reader, struct err *e);
void monitor_log_settle(struct monitor_log_reader *reader);
