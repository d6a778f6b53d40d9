#include "monitor/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/own.h"
#include "monitor/config.h"
#include "monitor/journal.h"
#include "monitor/log_record.h"

enum {
	DEFAULT_SIZE_MAX = 10 << 20,
	DEFAULT_MAX_FILE = 3,
	BATCH_BYTES = 64 << 10, /* written in one go at most, unless one record is longer */
	KEEP_BYTES = 4 << 10,   /* buffers above this are given back when empty */
	LOG_MODE = 0640,
};

/* ---- the file ---- */

static int open_file(struct monitor_log_writer *writer)
{
	struct stat st;
	char last;

	own_fd int fd = openat(writer->folder, "log",
			       O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	writer->size = st.st_size;
	/* a record cut short by the end of an earlier monitor must not swallow the next one */
	if (st.st_size && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' &&
	    write(fd, "\n", 1) == 1)
		writer->size++;
	writer->fd = take_fd(&fd);
	return 0;
}

static void close_file(struct monitor_log_writer *writer)
{
	if (writer->fd >= 0)
		close(take_fd(&writer->fd));
}

static const char *name_of(char to[16], int index)
{
	if (index == 0)
		return "log";
	snprintf(to, 16, "log.%d", index);
	return to;
}

/* log.1 becomes log.2 and so on; the oldest goes. When a step fails, what is there stays, and
 * the file grows on. */
static void rotate(struct monitor_log_writer *writer)
{
	char from[16], to[16];

	close_file(writer);
	unlinkat(writer->folder, name_of(from, writer->max_file - 1), 0);
	for (int i = writer->max_file - 2; i >= 0; i--)
		renameat(writer->folder, name_of(from, i), writer->folder, name_of(to, i + 1));
	open_file(writer);
}

/* ---- records ---- */

static const char *time_text(struct monitor_log_writer *writer, int64_t now_ns, char to[64])
{
	int64_t second = now_ns / 1000000000;

	if (second != writer->second || !writer->second_text[0]) {
		moment_format(writer->second_text, second * 1000000000);
		writer->second_text[strcspn(writer->second_text, ".Z")] = '\0';
		writer->second = second;
	}
	snprintf(to, 64, "%s.%09" PRId64 "Z", writer->second_text, now_ns % 1000000000);
	return to;
}

static void empty(struct str *s)
{
	s->length = 0;
	if (s->capacity > KEEP_BYTES)
		str_clear(s);
}

/* All of the text, or none of it in the file. */
static int write_whole(struct monitor_log_writer *writer, const struct str *text)
{
	size_t done = 0;

	int r = writer->fd < 0 ? open_file(writer) : 0;
	if (r < 0)
		return r;
	while (done < text->length) {
		ssize_t n = write(writer->fd, text->text + done, text->length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int number = n < 0 ? errno : EIO;
			if (done && ftruncate(writer->fd, writer->size) < 0)
				close_file(writer); /* open_file() ends the broken record */
			return -number;
		}
		done += (size_t)n;
	}
	writer->size += (int64_t)text->length;
	return 0;
}

static int write_notice(struct monitor_log_writer *writer, int64_t now_ns)
{
	own_clear(str_clear) struct str record = { 0 };
	char text[160], time[64];

	int length = snprintf(text, sizeof(text), "%" PRIu64 " lines of output were lost: %s\n",
			      writer->lost_records, strerrordesc_np(writer->lost_number));
	monitor_log_format(&record, MONITOR_LOG_NOTICE, time_text(writer, now_ns, time), "", text,
			   (size_t)length);
	return write_whole(writer, &record);
}

static void write_out(struct monitor_log_writer *writer, int64_t now_ns)
{
	int r = 0;

	if (!writer->out.length)
		return;
	if (writer->lost_records) {
		r = write_notice(writer, now_ns);
		if (r == 0)
			writer->lost_records = 0;
	}
	if (r == 0)
		r = write_whole(writer, &writer->out);
	if (r < 0) {
		writer->lost_records += writer->out_records;
		writer->lost_number = -r;
	}
	writer->out_records = 0;
	empty(&writer->out);
	if (writer->size_max > 0 && writer->size >= writer->size_max)
		rotate(writer);
}

/* ---- the journal ---- */

/* Priorities as Docker has them: an error for what came on stderr, else a notice of normal
 * working (syslog(3): LOG_ERR, LOG_INFO). */
static void send_line(struct monitor_log_writer *writer, enum monitor_log_stream stream,
		      const char *bytes, size_t length)
{
	own_clear(str_clear) struct str message = { 0 };
	bool whole = length && bytes[length - 1] == '\n';
	struct err e;

	str_add_n(&message, writer->constant.text, writer->constant.length);
	str_add(&message, stream == MONITOR_LOG_STDERR ? "PRIORITY=3\n" : "PRIORITY=6\n");
	if (!whole && length >= MONITOR_LOG_PART_MAX - 3)
		str_add(&message, "CONTAINER_PARTIAL_MESSAGE=true\n");
	monitor_journal_add(&message, "MESSAGE", bytes, length - whole);
	/* a journal that was started anew has another socket */
	for (int round = 0; round < 2; round++) {
		if (writer->fd < 0)
			writer->fd = monitor_journal_open(&e);
		if (writer->fd < 0)
			return;
		if (send(writer->fd, message.text, message.length, MSG_NOSIGNAL) >= 0 ||
		    (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET))
			return;
		close_file(writer);
	}
}

/* ---- both ---- */

static void add_record(struct monitor_log_writer *writer, enum monitor_log_stream stream,
		       const char *bytes, size_t length, int64_t now_ns)
{
	char time[64];

	if (writer->journal) {
		send_line(writer, stream, bytes, length);
		return;
	}
	monitor_log_format(&writer->out, stream, time_text(writer, now_ns, time),
			   writer->constant.text ? writer->constant.text : "", bytes, length);
	writer->out_records++;
	bool full = writer->size_max > 0 &&
		    writer->size + (int64_t)writer->out.length >= writer->size_max;
	if (full || writer->out.length >= BATCH_BYTES)
		write_out(writer, now_ns);
}

/* ---- lines ---- */

/* The bytes up to a newline or to a full part, which complete what the stream has pending.
 * Returns how many were taken; 0: no part is complete. */
static size_t add_part(struct monitor_log_writer *writer, enum monitor_log_stream stream,
		       const char *bytes, size_t length, int64_t now_ns)
{
	struct str *part = &writer->part[stream];
	size_t room = MONITOR_LOG_PART_MAX - part->length;
	const char *newline = memchr(bytes, '\n', length < room ? length : room);
	size_t take = newline ? (size_t)(newline - bytes) + 1 : room;

	if (!newline && length < room)
		return 0;
	if (!part->length) {
		take = newline ? take : monitor_log_cut(bytes, take);
		add_record(writer, stream, bytes, take, now_ns);
		return take;
	}
	str_add_n(part, bytes, take);
	size_t cut = newline ? part->length : monitor_log_cut(part->text, part->length);
	add_record(writer, stream, part->text, cut, now_ns);
	part->length -= cut;
	if (part->length)
		memmove(part->text, part->text + cut, part->length);
	else
		empty(part);
	return take;
}

void monitor_log_writer_add(struct monitor_log_writer *writer, enum monitor_log_stream stream,
			    const void *bytes, size_t length, int64_t now_ns)
{
	const char *text = bytes;
	size_t taken;

	if (writer->folder < 0 && !writer->journal)
		return;
	while (length && (taken = add_part(writer, stream, text, length, now_ns))) {
		text += taken;
		length -= taken;
	}
	if (length)
		str_add_n(&writer->part[stream], text, length);
	write_out(writer, now_ns);
}

/* ---- life ---- */

static void set_constant(struct monitor_log_writer *writer, const struct shape_map *attributes)
{
	own_json struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < attributes->count; i++) {
		const struct shape_pair *pair = &attributes->items[i];
		if (writer->journal)
			monitor_journal_add(&writer->constant, pair->key, pair->value,
					    strlen(pair->value));
		json_object_object_add(object, pair->key, json_object_new_string(pair->value));
	}
	if (!writer->journal && attributes->count &&
	    strlen(json_text(object)) <= MONITOR_LOG_ATTRS_MAX)
		str_add(&writer->constant, json_text(object));
}

void monitor_log_writer_open(struct monitor_log_writer *writer, int folder_fd,
			     const struct monitor_log_config *config)
{
	bool none = config->driver && strcmp(config->driver, "none") == 0;

	*writer = (struct monitor_log_writer){ .folder = -1, .fd = -1 };
	writer->size_max = config->max_size ? config->max_size : DEFAULT_SIZE_MAX;
	writer->max_file = config->max_file ? (int)config->max_file : DEFAULT_MAX_FILE;
	if (none)
		return;
	writer->journal = config->driver && strcmp(config->driver, "journald") == 0;
	set_constant(writer, &config->attributes);
	if (writer->journal)
		return;
	writer->folder = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	if (writer->folder >= 0)
		open_file(writer);
}

void monitor_log_writer_flush(struct monitor_log_writer *writer, int64_t now_ns)
{
	for (int i = 0; i < 2; i++) {
		struct str *part = &writer->part[i];
		if (part->length)
			add_record(writer, i, part->text, part->length, now_ns);
		str_clear(part);
	}
	write_out(writer, now_ns);
}

void monitor_log_writer_close(struct monitor_log_writer *writer)
{
	close_file(writer);
	if (writer->folder >= 0)
		close(take_fd(&writer->folder));
	for (int i = 0; i < 2; i++)
		str_clear(&writer->part[i]);
	str_clear(&writer->out);
	str_clear(&writer->constant);
}
