#include "monitor/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "monitor/config.h"
#include "monitor/log_record.h"
#include "monitor/log_writer.h"

static const int64_t start_ns = 1795351200000000001;
static const struct monitor_log_range everything = { .tail = -1 };

struct folder {
	char path[32];
	int fd;
};

static struct folder folder_make(void)
{
	struct folder f = { .path = "/tmp/holm-log-XXXXXX" };

	ck_assert_ptr_nonnull(mkdtemp(f.path));
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(f.fd, 0);
	return f;
}

static void folder_remove(struct folder *f)
{
	struct err e;

	close(f->fd);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, f->path, &e), 0);
}

static struct monitor_log_writer writer_open(const struct folder *f, int64_t max_size, int max_file)
{
	struct monitor_log_config config = { .max_size = max_size, .max_file = max_file };
	struct monitor_log_writer writer;

	monitor_log_writer_open(&writer, f->fd, &config);
	ck_assert_int_ge(writer.fd, 0);
	return writer;
}

/* All bytes of one stream that the reader gives now. */
static void read_stream(struct monitor_log_reader *reader, enum monitor_log_stream stream,
			struct str *to)
{
	const struct monitor_log_record *record;
	struct err e;
	int r;

	while ((r = monitor_log_next(reader, &record, &e)) == 1) {
		ck_assert_uint_le(record->text.length, MONITOR_LOG_PART_MAX);
		if (record->stream == stream)
			str_add_n(to, record->text.text, record->text.length);
	}
	ck_assert_int_eq(r, 0);
}

static char *read_log(const struct folder *f, const struct monitor_log_range *range,
		      enum monitor_log_stream stream, size_t *ret_length)
{
	struct monitor_log_reader *reader;
	struct str text = { 0 };
	struct err e;

	ck_assert_int_eq(monitor_log_open(&reader, f->fd, range, &e), 0);
	read_stream(reader, stream, &text);
	monitor_log_close(reader);
	if (ret_length)
		*ret_length = text.length;
	return str_take(&text);
}

START_TEST(every_byte_comes_back)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 0, 0);
	unsigned char bytes[2 * 65536];
	size_t length;

	for (int i = 0; i < 65536; i++) { /* every pair of bytes */
		bytes[2 * i] = (unsigned char)(i >> 8);
		bytes[2 * i + 1] = (unsigned char)i;
	}
	/* in pieces of all sizes, between pieces of the other stream */
	for (size_t at = 0, piece = 1; at < sizeof(bytes); at += piece, piece++) {
		size_t size = piece < sizeof(bytes) - at ? piece : sizeof(bytes) - at;
		monitor_log_writer_add(&writer, MONITOR_LOG_STDOUT, bytes + at, size, start_ns);
		monitor_log_writer_add(&writer, MONITOR_LOG_STDERR, "other\n", 6, start_ns);
	}
	monitor_log_writer_flush(&writer, start_ns);
	monitor_log_writer_close(&writer);

	own_free char *got = read_log(&f, &everything, MONITOR_LOG_STDOUT, &length);
	ck_assert_uint_eq(length, sizeof(bytes));
	ck_assert_int_eq(memcmp(got, bytes, length), 0);
	folder_remove(&f);
}
END_TEST

START_TEST(records_are_as_docker_writes_them)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 0, 0);
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	monitor_log_writer_add(&writer, MONITOR_LOG_STDOUT, "a \"b\"\t\\\x01/\xc3\xa9\n\xff\xfe\n",
			       15, start_ns);
	monitor_log_writer_add(&writer, MONITOR_LOG_STDERR, "no newline", 10, start_ns + 999999999);
	monitor_log_writer_flush(&writer, start_ns + 999999999);
	monitor_log_writer_close(&writer);
	ck_assert_int_eq(fd_read_file_at(f.fd, "log", 4096, &text, &e), 0);
	ck_assert_str_eq(text.text,
			 "{\"log\":\"a \\\"b\\\"\\t\\\\\\u0001/\xc3\xa9\\n\",\"stream\":\"stdout\","
			 "\"time\":\"2026-11-22T12:40:00.000000001Z\"}\n"
			 "{\"base64\":\"//4K\",\"stream\":\"stdout\","
			 "\"time\":\"2026-11-22T12:40:00.000000001Z\"}\n"
			 "{\"log\":\"no newline\",\"stream\":\"stderr\","
			 "\"time\":\"2026-11-22T12:40:01.000000000Z\"}\n");
	folder_remove(&f);
}
END_TEST

START_TEST(a_long_line_is_cut_between_characters)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 0, 0);
	own_clear(str_clear) struct str line = { 0 }, text = { 0 };
	struct err e;
	size_t length;

	str_add(&line, "x"); /* so that no cut at 16 KiB falls between two characters */
	for (int i = 0; i < 20000; i++)
		str_add(&line, "\xe2\x82\xac");
	str_add(&line, "\n");
	for (size_t at = 0; at < line.length; at += 1000)
		monitor_log_writer_add(&writer, MONITOR_LOG_STDOUT, line.text + at,
				       line.length - at < 1000 ? line.length - at : 1000, start_ns);
	monitor_log_writer_close(&writer);

	own_free char *got = read_log(&f, &everything, MONITOR_LOG_STDOUT, &length);
	ck_assert_uint_eq(length, line.length);
	ck_assert_str_eq(got, line.text);
	ck_assert_int_eq(fd_read_file_at(f.fd, "log", 1 << 20, &text, &e), 0);
	ck_assert_ptr_null(strstr(text.text, "base64"));
	folder_remove(&f);
}
END_TEST

static void write_numbers(struct monitor_log_writer *writer, int from, int to)
{
	char line[32];

	for (int i = from; i < to; i++) {
		int length = snprintf(line, sizeof(line), "%d\n", i);
		monitor_log_writer_add(writer, MONITOR_LOG_STDOUT, line, (size_t)length,
				       start_ns + i * 1000000000LL);
	}
}

START_TEST(rotation_keeps_the_newest_lines)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 1000, 3);
	struct stat st;

	write_numbers(&writer, 0, 500);
	monitor_log_writer_close(&writer);
	ck_assert_int_eq(fstatat(f.fd, "log.2", &st, 0), 0);
	ck_assert_int_lt(st.st_size, 1200);
	ck_assert_int_eq(faccessat(f.fd, "log.3", F_OK, 0), -1);

	/* contiguous, up to the last */
	own_free char *got = read_log(&f, &everything, MONITOR_LOG_STDOUT, NULL);
	int expected = atoi(got);
	ck_assert_int_gt(expected, 400);
	for (char *at = got; *at; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(atoi(at), expected++);
	ck_assert_int_eq(expected, 500);
	folder_remove(&f);
}
END_TEST

static const int64_t tails[] = { 0, 1, 2, 10, 29, 30, 31, 1000 };

START_TEST(tail_gives_the_last_lines_across_files)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 600, 10);
	struct monitor_log_range range = { .tail = tails[_i] };
	int64_t expected = tails[_i] < 30 ? 30 - tails[_i] : 0;

	write_numbers(&writer, 0, 30);
	monitor_log_writer_close(&writer);
	own_free char *got = read_log(&f, &range, MONITOR_LOG_STDOUT, NULL);
	for (char *at = got; *at; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(atoi(at), expected++);
	ck_assert_int_eq(expected, 30);
	folder_remove(&f);
}
END_TEST

START_TEST(tail_counts_lines_and_not_their_parts)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, -1, 0);
	struct monitor_log_range range = { .tail = 2 };
	own_free char *line = mem_new(300001, 1);
	size_t length;

	memset(line, 'y', 300000);
	line[299999] = '\n';
	write_numbers(&writer, 0, 5);
	monitor_log_writer_add(&writer, MONITOR_LOG_STDOUT, line, 300000, start_ns);
	monitor_log_writer_add(&writer, MONITOR_LOG_STDOUT, "end\n", 4, start_ns);
	monitor_log_writer_close(&writer);
	own_free char *got = read_log(&f, &range, MONITOR_LOG_STDOUT, &length);
	ck_assert_uint_eq(length, 300004);
	ck_assert_int_eq(got[0], 'y');
	folder_remove(&f);
}
END_TEST

START_TEST(since_and_until_bound_the_times)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 600, 10);
	struct monitor_log_range range = { .tail = -1,
					   .since_ns = start_ns + 10 * 1000000000LL,
					   .until_ns = start_ns + 12 * 1000000000LL };

	write_numbers(&writer, 0, 30);
	monitor_log_writer_close(&writer);
	own_free char *got = read_log(&f, &range, MONITOR_LOG_STDOUT, NULL);
	ck_assert_str_eq(got, "10\n11\n12\n");
	folder_remove(&f);
}
END_TEST

START_TEST(following_loses_no_line_over_rotations)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 500, 5);
	struct monitor_log_reader *reader;
	own_clear(str_clear) struct str text = { 0 };
	struct err e;
	int expected = 0;

	ck_assert_int_eq(monitor_log_open(&reader, f.fd, &everything, &e), 0);
	struct pollfd watch = { .fd = monitor_log_watch(reader, &e), .events = POLLIN };
	ck_assert_int_ge(watch.fd, 0);
	for (int i = 0; i < 300; i += 1 + i % 17) {
		int to = i + 1 + i % 17;
		write_numbers(&writer, i, to < 300 ? to : 300);
		ck_assert_int_eq(poll(&watch, 1, 0), 1);
		monitor_log_settle(reader);
		read_stream(reader, MONITOR_LOG_STDOUT, &text);
	}
	monitor_log_close(reader);
	monitor_log_writer_close(&writer);
	for (char *at = text.text; *at; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(atoi(at), expected++);
	ck_assert_int_eq(expected, 300);
	folder_remove(&f);
}
END_TEST

START_TEST(a_record_cut_short_costs_itself_alone)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, 0, 0);

	write_numbers(&writer, 0, 3);
	monitor_log_writer_close(&writer);
	own_free char *path = mem_format("%s/log", f.path);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size - 5), 0);
	writer = writer_open(&f, 0, 0);
	write_numbers(&writer, 3, 5);
	monitor_log_writer_close(&writer);
	own_free char *got = read_log(&f, &everything, MONITOR_LOG_STDOUT, NULL);
	ck_assert_str_eq(got, "0\n1\n3\n4\n");
	folder_remove(&f);
}
END_TEST

/* While a limit is set nothing may be asserted: Check writes a file, too. */
static void set_file_size_max(rlim_t max)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(lines_that_find_no_room_are_counted)
{
	struct folder f = folder_make();
	struct monitor_log_writer writer = writer_open(&f, -1, 0);

	signal(SIGXFSZ, SIG_IGN);
	write_numbers(&writer, 0, 2);
	set_file_size_max(200); /* cuts the third record in its middle */
	write_numbers(&writer, 2, 7);
	set_file_size_max(RLIM_INFINITY);
	write_numbers(&writer, 7, 9);
	monitor_log_writer_close(&writer);

	own_free char *got = read_log(&f, &everything, MONITOR_LOG_STDOUT, NULL);
	ck_assert_str_eq(got, "0\n1\n7\n8\n");
	own_free char *notice = read_log(&f, &everything, MONITOR_LOG_NOTICE, NULL);
	ck_assert_str_eq(notice, "5 lines of output were lost: File too large\n");
	folder_remove(&f);
}
END_TEST

static const char *const broken[] = {
	"",
	"{}",
	"[]",
	"{\"log\":\"a\",\"stream\":\"stdout\"}",
	"{\"log\":\"a\",\"stream\":\"stdin\",\"time\":\"2026-11-22T14:00:00Z\"}",
	"{\"log\":1,\"stream\":\"stdout\",\"time\":\"2026-11-22T14:00:00Z\"}",
	"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"yesterday\"}",
	"{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2026-11-22T14:00:00Z\"",
	"{\"base64\":\"YQ=\",\"stream\":\"stdout\",\"time\":\"2026-11-22T14:00:00Z\"}",
	"{\"base64\":\"YQ==YQ==\",\"stream\":\"stdout\",\"time\":\"2026-11-22T14:00:00Z\"}",
	"{\"base64\":\"Y*==\",\"stream\":\"stdout\",\"time\":\"2026-11-22T14:00:00Z\"}",
};

START_TEST(broken_records_are_refused)
{
	struct monitor_log_record record = { 0 };
	struct err e;

	ck_assert_int_lt(monitor_log_parse(&record, broken[_i], strlen(broken[_i]), &e), 0);
	ck_assert_int_eq(e.kind, ERR_CORRUPT);
	str_clear(&record.text);
}
END_TEST

UNIT_MAIN("monitor/log", UNIT(every_byte_comes_back), UNIT(records_are_as_docker_writes_them),
	  UNIT(a_long_line_is_cut_between_characters), UNIT(rotation_keeps_the_newest_lines),
	  UNIT_LOOP(tail_gives_the_last_lines_across_files, COUNT_OF(tails)),
	  UNIT(tail_counts_lines_and_not_their_parts), UNIT(since_and_until_bound_the_times),
	  UNIT(following_loses_no_line_over_rotations), UNIT(a_record_cut_short_costs_itself_alone),
	  UNIT(lines_that_find_no_room_are_counted),
	  UNIT_LOOP(broken_records_are_refused, COUNT_OF(broken)))
