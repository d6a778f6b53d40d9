/* log_writer.h - writes a container's log as log.h describes it. Nothing in it fails: what cannot
 * be written, because the disk is full, is counted, and the number is put into the log once
 * writing works again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "base/str.h"
#include "monitor/log.h"

struct monitor_log_config;

struct monitor_log_writer {
	int folder;          /* -1: it has no files */
	bool journal;        /* journald instead */
	struct str constant; /* the attrs of each record; the journal's fields of each line */
	int fd;              /* -1: could not be opened so far */
	int64_t size, size_max;
	int max_file;
	struct str part[2]; /* of stdout, stderr: output whose newline has not come yet */
	struct str out;     /* whole records to be written */
	uint64_t out_records, lost_records;
	int lost_number; /* the errno that cost them */
	int64_t second;  /* whose text is cached */
	char second_text[MOMENT_TEXT_SIZE];
};

/* folder_fd is duplicated. */
void monitor_log_writer_open(struct monitor_log_writer *writer, int folder_fd,
			     const struct monitor_log_config *config);

/* Output of the container, as it was read. One write(2) for all lines in it. */
void monitor_log_writer_add(struct monitor_log_writer *writer, enum monitor_log_stream stream,
			    const void *bytes, size_t length, int64_t now_ns);

/* The end of the streams: writes the parts that got no newline. */
void monitor_log_writer_flush(struct monitor_log_writer *writer, int64_t now_ns);
void monitor_log_writer_close(struct monitor_log_writer *writer);
