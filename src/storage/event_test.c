#include "storage/event.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/strv.h"
#include "storage/event_reader.h"
#include "storage/scratch.h"

static void write_event(struct scratch_store *s, const char *action, const char *label)
{
	struct storage_event event = { .type = mem_text("container"),
				       .action = mem_text(action),
				       .id = mem_text("ab12") };

	shape_map_set(&event.attributes, "name", "web");
	shape_map_set(&event.attributes, "image", "busybox");
	if (label)
		shape_map_set(&event.attributes, "label", label);
	storage_event_write(s->store->run_fd, &event);
	storage_event_clear(&event);
}

/* The actions from here on, "create start die". */
static char *read_actions(struct storage_event_reader *reader)
{
	own_clear(strv_clear) struct strv actions = { 0 };
	const struct storage_event *event;
	struct err e;
	int r;

	while ((r = storage_event_reader_next(reader, &event, &e)) > 0)
		strv_add(&actions, event->action);
	ck_assert_int_eq(r, 0);
	return strv_join(&actions, " ");
}

static struct storage_event_reader *open_reader(struct scratch_store *s)
{
	struct storage_event_reader *reader;
	struct err e = { 0 };

	ck_assert_msg(storage_event_reader_open(&reader, s->store->run_fd, &e) == 0, "%s", e.text);
	return reader;
}

#define ASSERT_ACTIONS(reader, text)                                                               \
	do {                                                                                       \
		own_free char *_actions = read_actions(reader);                                    \
		ck_assert_str_eq(_actions, text);                                                  \
	} while (0)

START_TEST(what_is_written_is_read)
{
	struct scratch_store s;
	const struct storage_event *event;
	struct err e;

	scratch_store_open(&s);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	ASSERT_ACTIONS(reader, "");
	write_event(&s, "create", "a \"quoted\"\nline");
	ck_assert_int_eq(storage_event_reader_next(reader, &event, &e), 1);
	ck_assert_str_eq(event->type, "container");
	ck_assert_str_eq(event->id, "ab12");
	ck_assert(event->time_ns > 0);
	ck_assert_uint_eq(event->attributes.count, 3);
	ck_assert_str_eq(event->attributes.items[0].key, "image");
	ck_assert_str_eq(event->attributes.items[1].value, "a \"quoted\"\nline");
	write_event(&s, "start", NULL);
	write_event(&s, "die", NULL);
	ASSERT_ACTIONS(reader, "start die");
	ck_assert(storage_event_happened(s.store->run_fd, "die", "ab12", 1));
	ck_assert(!storage_event_happened(s.store->run_fd, "die", "ab12", INT64_MAX));
	ck_assert(!storage_event_happened(s.store->run_fd, "die", "other", 1));
	scratch_store_close(&s);
}
END_TEST

static off_t size_of(struct scratch_store *s, const char *name)
{
	struct stat st;

	return fstatat(s->store->run_fd, name, &st, 0) == 0 ? st.st_size : -1;
}

/* Writes until the file has become the older one. */
static int fill_file(struct scratch_store *s)
{
	char label[1000] = "";
	int count = 0;

	memset(label, 'x', sizeof(label) - 1);
	do {
		write_event(s, "fill", label);
		count++;
	} while (size_of(s, EVENT_FILE) > 0);
	return count;
}

START_TEST(a_reader_follows_through_rotations)
{
	struct scratch_store s;
	const struct storage_event *event;
	struct err e;
	int count = 0;

	scratch_store_open(&s);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	int written = fill_file(&s);
	while (storage_event_reader_next(reader, &event, &e) > 0)
		count++;
	ck_assert_int_eq(count, written);
	write_event(&s, "after", NULL);
	ASSERT_ACTIONS(reader, "after");
	/* who had the older file open still writes to it */
	int late = openat(s.store->run_fd, EVENT_FILE_OLD, O_WRONLY | O_APPEND);
	static const char line[] = "{\"Type\":\"container\",\"Action\":\"late\",\"Actor\":{\"ID\":"
				   "\"ab\",\"Attributes\":{}},\"timeNano\":5}\n";
	ck_assert_int_eq(write(late, line, sizeof(line) - 1), sizeof(line) - 1);
	close(late);
	ASSERT_ACTIONS(reader, "late");
	fill_file(&s);
	fill_file(&s);
	write_event(&s, "end", NULL);
	own_free char *rest = read_actions(reader);
	ck_assert(str_ends(rest, "fill end"));
	/* both files are bounded, whatever was written */
	ck_assert(size_of(&s, EVENT_FILE_OLD) < EVENT_FILE_BYTES + EVENT_LINE_BYTES);
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_reader_begins_with_the_older_file)
{
	struct scratch_store s;

	scratch_store_open(&s);
	write_event(&s, "first", NULL);
	fill_file(&s);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	own_free char *all = read_actions(reader);
	ck_assert(str_starts(all, "first fill"));
	write_event(&s, "last", NULL);
	ASSERT_ACTIONS(reader, "last");
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_torn_line_costs_no_other_event)
{
	struct scratch_store s;
	static const char torn[] = "{\"Type\":\"container\",\"Action\":\"torn\",\"Actor\":{\"ID";
	static const char junk[] = "\n\n{}\nnull\n[1]\n";

	scratch_store_open(&s);
	write_event(&s, "create", NULL);
	int fd = openat(s.store->run_fd, EVENT_FILE, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, torn, sizeof(torn) - 1), sizeof(torn) - 1);
	write_event(&s, "start", "{\"Type\":\"");
	ck_assert_int_eq(write(fd, junk, sizeof(junk) - 1), sizeof(junk) - 1);
	write_event(&s, "die", NULL);
	close(fd);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	ASSERT_ACTIONS(reader, "create start die");
	scratch_store_close(&s);
}
END_TEST

START_TEST(what_is_no_text_is_still_told)
{
	struct scratch_store s;
	const struct storage_event *event;
	struct err e;

	scratch_store_open(&s);
	write_event(&s, "exec_create: \xff\x01\xc3\xa4\\ \"", NULL);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	ck_assert_int_eq(storage_event_reader_next(reader, &event, &e), 1);
	ck_assert_str_eq(event->action, "exec_create: \xef\xbf\xbd\x01\xc3\xa4\\ \"");
	scratch_store_close(&s);
}
END_TEST

START_TEST(labels_that_are_too_long_are_left_out)
{
	struct scratch_store s;
	const struct storage_event *event;
	struct err e;

	scratch_store_open(&s);
	own_free char *label = mem_new(1, 100001);
	memset(label, 'x', 100000);
	write_event(&s, "create", label);
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	ck_assert_int_eq(storage_event_reader_next(reader, &event, &e), 1);
	ck_assert_uint_eq(event->attributes.count, 2);
	ck_assert_str_eq(event->attributes.items[1].value, "web");
	scratch_store_close(&s);
}
END_TEST

enum { WRITERS = 8, EACH = 300 };

START_TEST(many_writers_lose_nothing)
{
	struct scratch_store s;
	const struct storage_event *event;
	struct err e;
	int count = 0;
	char label[200] = "";

	memset(label, 'y', sizeof(label) - 1);
	scratch_store_open(&s);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() != 0)
			continue;
		for (int j = 0; j < EACH; j++)
			write_event(&s, "exec_create: true", label);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	own(storage_event_reader_close) struct storage_event_reader *reader = open_reader(&s);
	while (storage_event_reader_next(reader, &event, &e) > 0)
		count++;
	ck_assert_int_eq(count, WRITERS * EACH);
	scratch_store_close(&s);
}
END_TEST

UNIT_MAIN("storage/event", UNIT(what_is_written_is_read), UNIT(a_reader_follows_through_rotations),
	  UNIT(a_reader_begins_with_the_older_file), UNIT(a_torn_line_costs_no_other_event),
	  UNIT(labels_that_are_too_long_are_left_out), UNIT(what_is_no_text_is_still_told),
	  UNIT(many_writers_lose_nothing))
