#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/unit.h"
#include "runtime/channel.h"

START_TEST(what_was_said_is_heard_from_who_has_read_nothing)
{
	struct err e, said, heard;
	int ends[2];

	ck_assert_int_eq(runtime_channel_open(ends, &e), 0);
	own_fd int parent = ends[0];
	ck_assert_int_eq(runtime_channel_send(parent, RUNTIME_MESSAGE_START, 0, NULL, 0, &e), 0);
	err_set(&said, ERR_STATE, "no such folder");
	runtime_channel_send_error(ends[1], &said);
	close(ends[1]);

	ck_assert_int_eq(runtime_channel_receive(parent, NULL, NULL, &heard),
			 RUNTIME_MESSAGE_FAILED);
	ck_assert_str_eq(heard.text, said.text);
	ck_assert_int_eq(runtime_channel_receive(parent, NULL, NULL, &heard), RUNTIME_MESSAGE_NONE);
}
END_TEST

START_TEST(a_message_comes_with_its_value)
{
	struct err e;
	int ends[2], value = 0;

	ck_assert_int_eq(runtime_channel_open(ends, &e), 0);
	own_fd int parent = ends[0];
	own_fd int child = ends[1];
	ck_assert_int_eq(runtime_channel_send(child, RUNTIME_MESSAGE_PID, 42, NULL, 0, &e), 0);
	ck_assert_int_eq(runtime_channel_receive(parent, &value, NULL, &e), RUNTIME_MESSAGE_PID);
	ck_assert_int_eq(value, 42);
}
END_TEST

UNIT_MAIN("runtime/channel", UNIT(what_was_said_is_heard_from_who_has_read_nothing),
	  UNIT(a_message_comes_with_its_value))
