/* log_reader.c - reads the log of log.h, also while it is written and rotated.
 *
 * The reader holds the file it is in by descriptor. At its end it looks whether `log` is still
 * that file; if not, the writer has rotated: what it wrote before that is read first, then the
 * next younger file is found by looking for our own among log.1, log.2... A descriptor that is
 * held keeps the inode's number from being used again, so numbers can be compared. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "monitor/log.h"

enum {
	READ_BYTES = 64 << 10,
	TAIL_BYTES = 256 << 10, /* more than a record, MONITOR_LOG_RECORD_MAX */
	FIND_TRIES = 100,       /* the writer can rotate while we look */
};

struct monitor_log_reader {
	int folder;
	int fd; /* -1: no file has been opened yet */
	int watch;
	struct monitor_log_range range;
	struct monitor_log_record record;
	struct str lines; /* read, not yet parsed from at on */
	size_t at;
	bool skip; /* in a line that is longer than any record */
	bool past_end;
};

/* ---- files ---- */

static int open_index(const struct monitor_log_reader *reader, int index)
{
	char name[16] = "log";

	if (index)
		snprintf(name, sizeof(name), "log.%d", index);
	return openat(reader->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool same_file(int a, int b)
{
	struct stat one, two;

	return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_ino == two.st_ino &&
	       one.st_dev == two.st_dev;
}

/* The index under which our file lies now; -1: it has been removed. */
static int find_own(const struct monitor_log_reader *reader)
{
	for (int i = 0; i < MONITOR_LOG_FILES_MAX; i++) {
		own_fd int fd = open_index(reader, i);
		if (fd >= 0 && same_file(fd, reader->fd))
			return i;
		/* between two renames `log` alone is missing */
		if (fd < 0 && i > 0)
			return -1;
	}
	return -1;
}

static int open_oldest(const struct monitor_log_reader *reader)
{
	own_fd int oldest = -1;

	for (int i = 0; i < MONITOR_LOG_FILES_MAX; i++) {
		own_fd int fd = open_index(reader, i);
		if (fd < 0 && i > 0)
			break;
		if (fd < 0)
			continue;
		if (oldest >= 0)
			close(oldest);
		oldest = take_fd(&fd);
	}
	return take_fd(&oldest);
}

/* The next younger file, or -1: there is none (yet). */
static int open_younger(const struct monitor_log_reader *reader)
{
	if (reader->fd < 0)
		return open_oldest(reader);
	for (int tries = 0; tries < FIND_TRIES; tries++) {
		int index = find_own(reader);
		if (index == 0)
			return -1;
		if (index < 0)
			return open_oldest(reader);
		own_fd int fd = open_index(reader, index - 1);
		own_fd int again = open_index(reader, index);
		/* if ours is still where it was, so was the one before it */
		if (again >= 0 && same_file(again, reader->fd))
			return take_fd(&fd);
	}
	return -1;
}

/* ---- the last lines ---- */

static bool ends_line(const char *line, size_t length)
{
	own_clear(str_clear) struct str text = { 0 };
	struct monitor_log_record record = { 0 };
	struct err e;

	int r = monitor_log_parse(&record, line, length, &e);
	text = record.text;
	return r < 0 || (text.length && text.text[text.length - 1] == '\n');
}

struct tail {
	int64_t need; /* lines still to be passed */
	bool any;     /* a record has been seen */
};

/* Goes back over the whole records in bytes; the offset behind the last one that does not belong
 * to the tail, or -1. */
static int64_t tail_in_window(struct tail *tail, const char *bytes, size_t length, size_t *ret_left)
{
	size_t end = length;

	while (end > 0) {
		const char *newline = memrchr(bytes, '\n', end - 1);
		size_t start = newline ? (size_t)(newline - bytes) + 1 : 0;
		if (!newline)
			break;
		if (!tail->any || ends_line(bytes + start, end - start)) {
			if (tail->need == 0)
				return (int64_t)end;
			tail->need--;
		}
		tail->any = true;
		end = start;
	}
	*ret_left = end;
	return -1;
}

/* The same for a whole file: where to begin in it, or -1: before it. */
static int64_t tail_in_file(struct tail *tail, int fd)
{
	own_free char *bytes = mem_new(TAIL_BYTES + 1, 1);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	int64_t end = st.st_size;
	while (end > 0) {
		/* a newline that is not there stands before the first record */
		int64_t from = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
		size_t before = from == 0 ? 1 : 0;
		bytes[0] = '\n';
		ssize_t n = pread(fd, bytes + before, (size_t)(end - from), from);
		if (n <= 0)
			return -1;
		size_t left = 0;
		int64_t found = tail_in_window(tail, bytes, (size_t)n + before, &left);
		if (found >= 0)
			return from + found - (int64_t)before;
		if (from == 0)
			break;
		/* a line longer than the window is no record: what is before it counts */
		end = left ? from + (int64_t)left : from;
	}
	return -1;
}

static void seek_tail(struct monitor_log_reader *reader)
{
	struct tail tail = { .need = reader->range.tail };

	for (int i = 0; i < MONITOR_LOG_FILES_MAX; i++) {
		own_fd int fd = open_index(reader, i);
		if (fd < 0 && i > 0)
			break;
		if (fd < 0)
			continue;
		int64_t at = tail_in_file(&tail, fd);
		if (reader->fd >= 0)
			close(reader->fd);
		lseek(fd, at < 0 ? 0 : at, SEEK_SET);
		reader->fd = take_fd(&fd);
		if (at >= 0)
			return;
	}
}

/* ---- life ---- */

int monitor_log_open(struct monitor_log_reader **ret, int container_fd,
		     const struct monitor_log_range *range, struct err *e)
{
	int folder = fcntl(container_fd, F_DUPFD_CLOEXEC, 0);

	if (folder < 0)
		return err_sys(e, "duplicate a descriptor");
	struct monitor_log_reader *reader = mem_new_struct(struct monitor_log_reader);
	reader->folder = folder;
	reader->fd = reader->watch = -1;
	reader->range = *range;
	if (range->tail >= 0)
		seek_tail(reader);
	*ret = reader;
	return 0;
}

void monitor_log_close(struct monitor_log_reader *reader)
{
	int fds[] = { reader->folder, reader->fd, reader->watch };

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	str_clear(&reader->lines);
	str_clear(&reader->record.text);
	free(reader);
}

/* ---- records ---- */

/* 1: more bytes are there; 0: none now. */
static int read_more(struct monitor_log_reader *reader, struct err *e)
{
	struct str *lines = &reader->lines;

	if (reader->fd < 0)
		return 0;
	if (reader->at) {
		memmove(lines->text, lines->text + reader->at, lines->length - reader->at);
		lines->length -= reader->at;
		reader->at = 0;
	}
	ssize_t n = read(reader->fd, str_room(lines, READ_BYTES), READ_BYTES);
	if (n < 0)
		return err_sys(e, "read the log");
	lines->length += (size_t)n;
	return n > 0;
}

/* 1: there is another file now, or more in this one. */
static int advance(struct monitor_log_reader *reader, struct err *e)
{
	own_fd int next = open_younger(reader);
	if (next < 0)
		return 0;
	/* nothing is written to ours any more, but was, between our last read and the rename */
	int r = read_more(reader, e);
	if (r != 0)
		return r;
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = take_fd(&next);
	reader->lines.length = reader->at = 0;
	reader->skip = false;
	return 1;
}

/* The next whole line, without parsing it: 1 and its place, or 0. */
static int next_line(struct monitor_log_reader *reader, const char **line, size_t *length,
		     struct err *e)
{
	for (;;) {
		struct str *lines = &reader->lines;
		size_t have = lines->length - reader->at;
		const char *at = lines->text + reader->at;
		const char *newline = have ? memchr(at, '\n', have) : NULL;
		if (newline) {
			bool skip = reader->skip;
			*line = at;
			*length = (size_t)(newline - at);
			reader->at += *length + 1;
			reader->skip = false;
			if (!skip)
				return 1;
			continue;
		}
		if (have > MONITOR_LOG_RECORD_MAX) {
			reader->skip = true;
			reader->at = lines->length;
		}
		int r = read_more(reader, e);
		if (r == 0)
			r = advance(reader, e);
		if (r <= 0)
			return r;
	}
}

int monitor_log_next(struct monitor_log_reader *reader, const struct monitor_log_record **ret,
		     struct err *e)
{
	const char *line = NULL;
	size_t length = 0;
	struct err broken;
	int r;

	while (!reader->past_end && (r = next_line(reader, &line, &length, e)) != 0) {
		if (r < 0)
			return r;
		if (monitor_log_parse(&reader->record, line, length, &broken) < 0)
			continue;
		if (reader->record.time_ns < reader->range.since_ns)
			continue;
		if (reader->range.until_ns && reader->record.time_ns > reader->range.until_ns) {
			reader->past_end = true;
			break;
		}
		*ret = &reader->record;
		return 1;
	}
	return 0;
}

bool monitor_log_past_end(const struct monitor_log_reader *reader)
{
	return reader->past_end;
}

/* ---- following ---- */

int monitor_log_watch(struct monitor_log_reader *reader, struct err *e)
{
	char folder[40];

	if (reader->watch >= 0)
		return reader->watch;
	own_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0)
		return err_sys(e, "make an inotify");
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", reader->folder);
	if (inotify_add_watch(watch, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(e, "watch the log");
	reader->watch = take_fd(&watch);
	return reader->watch;
}

void monitor_log_settle(struct monitor_log_reader *reader)
{
	char events[4096] __attribute__((aligned(8)));

	while (reader->watch >= 0 && read(reader->watch, events, sizeof(events)) > 0)
		;
}
