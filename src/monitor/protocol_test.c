#include "monitor/protocol.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/unit.h"

static void feed(struct monitor_frames *frames, const void *bytes, size_t length)
{
	size_t room;
	void *to = monitor_frames_room(frames, &room);

	ck_assert_uint_ge(room, length);
	memcpy(to, bytes, length);
	monitor_frames_added(frames, length);
}

START_TEST(frames_come_out_whole_however_they_come_in)
{
	static const unsigned char bytes[] = {
		MONITOR_STDOUT, 3, 0, 0, 0, 'a', 'b', 'c', MONITOR_OK, 0, 0, 0, 0,
		MONITOR_STDERR, 1, 0, 0, 0, 'x'
	};
	/* cut at every place */
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		struct monitor_frames frames = { 0 };
		struct monitor_frame frame;
		int types[4] = { 0 }, count = 0;

		feed(&frames, bytes, cut);
		while (monitor_frames_next(&frames, &frame) == 1)
			types[count++] = frame.type;
		feed(&frames, bytes + cut, sizeof(bytes) - cut);
		while (monitor_frames_next(&frames, &frame) == 1) {
			types[count++] = frame.type;
			if (frame.type == MONITOR_STDOUT)
				ck_assert_mem_eq(frame.payload, "abc", 3);
		}
		ck_assert_int_eq(count, 3);
		ck_assert_int_eq(types[0], MONITOR_STDOUT);
		ck_assert_int_eq(types[1], MONITOR_OK);
		ck_assert_int_eq(types[2], MONITOR_STDERR);
		monitor_frames_clear(&frames);
	}
}
END_TEST

static const struct {
	unsigned char type;
	uint32_t length;
	int expected;
} headers[] = {
	{ MONITOR_STDIN, MONITOR_PAYLOAD_MAX, 0 }, /* fits, has not come yet */
	{ MONITOR_STDIN, MONITOR_PAYLOAD_MAX + 1, -EPROTO },
	{ MONITOR_STDOUT, UINT32_MAX, -EPROTO },
	{ MONITOR_WAIT, 1, -EPROTO },
	{ MONITOR_EXIT, 17, -EPROTO },
	{ MONITOR_ATTACH, 2, -EPROTO },
	{ 0, 0, -EPROTO },
	{ 40, 0, -EPROTO },
	{ 255, 0, -EPROTO },
};

START_TEST(oversized_and_unknown_frames_are_refused_by_their_header)
{
	struct monitor_frames frames = { 0 };
	struct monitor_frame frame;
	unsigned char header[MONITOR_HEADER_SIZE] = { headers[_i].type };

	monitor_put_u32(header + 1, headers[_i].length);
	feed(&frames, header, sizeof(header));
	ck_assert_int_eq(monitor_frames_next(&frames, &frame), headers[_i].expected);
	monitor_frames_clear(&frames);
}
END_TEST

START_TEST(the_largest_frame_fits_the_reader)
{
	static unsigned char bytes[MONITOR_HEADER_SIZE + MONITOR_PAYLOAD_MAX];
	struct monitor_frames frames = { 0 };
	struct monitor_frame frame;

	for (int round = 0; round < 3; round++) {
		monitor_put_header(bytes, MONITOR_STDIN, MONITOR_PAYLOAD_MAX);
		feed(&frames, bytes, sizeof(bytes));
		ck_assert_int_eq(monitor_frames_next(&frames, &frame), 1);
		ck_assert_uint_eq(frame.length, MONITOR_PAYLOAD_MAX);
		ck_assert_int_eq(monitor_frames_next(&frames, &frame), 0);
	}
	monitor_frames_clear(&frames);
}
END_TEST

START_TEST(an_error_arrives_as_it_was)
{
	unsigned char payload[MONITOR_PAYLOAD_MAX];
	struct err sent = { 0 }, got;

	err_set(&sent, ERR_COMMAND_NOT_FOUND, "exec: \"%s\": not found", "foo");
	err_hint(&sent, "install it");
	struct monitor_frame frame = { MONITOR_ERROR, (uint32_t)monitor_put_err(payload, &sent),
				       payload };
	ck_assert_int_eq(monitor_get_err(&got, &frame), 0);
	ck_assert_int_eq(got.kind, sent.kind);
	ck_assert_int_eq(got.number, sent.number);
	ck_assert_str_eq(got.text, sent.text);
	ck_assert_str_eq(got.hint, sent.hint);
	ck_assert_int_eq(err_exit_status(&got), 127);

	/* cut anywhere it is no error any more */
	for (uint32_t length = 0, whole = frame.length; length < whole; length++) {
		frame.length = length;
		ck_assert_int_eq(monitor_get_err(&got, &frame), -EPROTO);
	}
}
END_TEST

START_TEST(an_exit_status_arrives_as_it_was)
{
	struct monitor_exit sent = { 137, MONITOR_EXIT_OOM, 1795351200123456789 }, got;
	unsigned char payload[MONITOR_EXIT_SIZE];
	struct monitor_frame frame = { MONITOR_EXIT, MONITOR_EXIT_SIZE, payload };

	monitor_put_exit(payload, &sent);
	ck_assert_int_eq(monitor_get_exit(&got, &frame), 0);
	ck_assert_int_eq(got.code, 137);
	ck_assert_uint_eq(got.flags, MONITOR_EXIT_OOM);
	ck_assert_int_eq(got.finished_ns, sent.finished_ns);
	frame.length--;
	ck_assert_int_eq(monitor_get_exit(&got, &frame), -EPROTO);
}
END_TEST

UNIT_MAIN("monitor/protocol", UNIT(frames_come_out_whole_however_they_come_in),
	  UNIT_LOOP(oversized_and_unknown_frames_are_refused_by_their_header,
		    sizeof(headers) / sizeof(headers[0])),
	  UNIT(the_largest_frame_fits_the_reader), UNIT(an_error_arrives_as_it_was),
	  UNIT(an_exit_status_arrives_as_it_was))
