#include "image/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "image/progress_print.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct image_progress events[] = {
	{ .kind = IMAGE_PROGRESS_NOTE, .text = "Resolving \"x\"\n", .total = -1 },
	{ .kind = IMAGE_PROGRESS_LAYER,
	  .digest = DIGEST,
	  .state = IMAGE_STATE_RETRYING,
	  .done = 12,
	  .total = 0,
	  .text = "connection reset" },
	{ .kind = IMAGE_PROGRESS_IMAGE,
	  .digest = DIGEST,
	  .state = IMAGE_STATE_NEW,
	  .text = "docker.io/library/a:b",
	  .total = -1 },
	{ .kind = IMAGE_PROGRESS_ERROR,
	  .total = -1,
	  .err = { ERR_UNREACHABLE, 111, "pull x: no answer", "is it running?" } },
};

START_TEST(what_is_written_is_read_back)
{
	struct image_progress back;
	struct err e;
	own_free char *line = image_progress_write(&events[_i]);
	size_t length = strlen(line);

	ck_assert_int_eq(line[length - 1], '\n');
	ck_assert_ptr_null(memchr(line, '\n', length - 1));
	ck_assert_msg(image_progress_read(&back, line, length - 1, &e) == 0, "%s", e.text);
	ck_assert_int_eq(back.kind, events[_i].kind);
	ck_assert_int_eq(back.state, events[_i].state);
	ck_assert_str_eq(back.digest, events[_i].digest);
	ck_assert_str_eq(back.text, events[_i].text);
	ck_assert_int_eq(back.done, events[_i].done);
	ck_assert_int_eq(back.total, events[_i].total);
	ck_assert_int_eq(back.err.kind, events[_i].err.kind);
	ck_assert_int_eq(back.err.number, events[_i].err.number);
	ck_assert_str_eq(back.err.text, events[_i].err.text);
	ck_assert_str_eq(back.err.hint, events[_i].err.hint);
}
END_TEST

START_TEST(a_layer_without_a_real_digest_is_refused)
{
	static const char line[] = "{\"layer\":\"sha256:../x\",\"state\":\"done\"}";
	struct image_progress back;
	struct err e;

	ck_assert_int_lt(image_progress_read(&back, line, strlen(line), &e), 0);
}
END_TEST

START_TEST(plain_output_has_one_line_per_finished_step_and_no_escapes)
{
	int ends[2];
	char text[1000] = "";
	struct image_progress layer = events[1];

	ck_assert_int_eq(pipe(ends), 0);
	own(image_progress_print_free) struct image_progress_print *print =
		image_progress_print_new(ends[1], false);
	image_progress_print_event(print, &(struct image_progress){ .text = "Pulling \x1b[2Jx" });
	layer.state = IMAGE_STATE_DOWNLOADING;
	image_progress_print_event(print, &layer);
	layer.state = IMAGE_STATE_DONE;
	layer.total = 2000;
	image_progress_print_event(print, &layer);
	image_progress_print_event(print, &layer);
	image_progress_print_finish(print);
	ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "Pulling \\x1b[2Jx\n0123456789ab: Pull complete 2kB\n");
}
END_TEST

UNIT_MAIN("image/progress", UNIT_LOOP(what_is_written_is_read_back, COUNT_OF(events)),
	  UNIT(a_layer_without_a_real_digest_is_refused),
	  UNIT(plain_output_has_one_line_per_finished_step_and_no_escapes))
