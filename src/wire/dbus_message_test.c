#include "wire/dbus_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

/* The specification's own layout, byte for byte: a call of Hello. */
static const unsigned char hello[] = { 'l', 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 61, 0, 0, 0,
				       /* path */
				       1, 1, 'o', 0, 5, 0, 0, 0, '/', 'o', 'r', 'g', '/', 0, 0, 0,
				       /* member */
				       3, 1, 's', 0, 5, 0, 0, 0, 'H', 'e', 'l', 'l', 'o', 0, 0, 0,
				       /* destination */
				       6, 1, 's', 0, 20, 0, 0, 0, 'o', 'r', 'g', '.', 'f', 'r', 'e',
				       'e', 'd', 'e', 's', 'k', 't', 'o', 'p', '.', 'D', 'B', 'u',
				       's', 0, 0, 0, 0 };

static struct wire_dbus_head hello_head(void)
{
	return (struct wire_dbus_head){
		.type = WIRE_DBUS_CALL,
		.serial = 1,
		.destination = "org.freedesktop.DBus",
		.path = "/org/",
		.member = "Hello",
	};
}

START_TEST(a_call_is_laid_out_as_the_specification_says)
{
	own_clear(str_clear) struct str bytes = { 0 };
	struct wire_dbus_head head = hello_head();
	struct str body = { 0 };

	wire_dbus_format(&bytes, &head, &body);
	ck_assert_uint_eq(bytes.length, sizeof(hello));
	ck_assert_mem_eq(bytes.text, hello, sizeof(hello));
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	own_clear(str_clear) struct str body = { 0 };
	own_clear(str_clear) struct str bytes = { 0 };
	struct wire_dbus_head head = hello_head();
	struct wire_dbus_message message;
	struct err e;
	uint32_t number;
	uint8_t byte;
	const char *text;

	head.signature = "suay";
	wire_dbus_add_string(&body, "unit");
	wire_dbus_add_u32(&body, 7);
	size_t begin = wire_dbus_begin_array(&body, 1);
	wire_dbus_add_byte(&body, 9);
	wire_dbus_add_byte(&body, 8);
	wire_dbus_end_array(&body, begin, 1);
	wire_dbus_format(&bytes, &head, &body);
	int r = wire_dbus_message_parse(&message, (unsigned char *)bytes.text, bytes.length, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(message.head.member, "Hello");
	ck_assert_str_eq(message.head.signature, "suay");
	ck_assert_ptr_null(message.head.interface);
	struct wire_dbus_reader reader = { .bytes = message.body, .length = message.body_length };
	ck_assert(wire_dbus_read_string(&reader, &text));
	ck_assert_str_eq(text, "unit");
	ck_assert(wire_dbus_read_u32(&reader, &number) && number == 7);
	ck_assert(wire_dbus_read_u32(&reader, &number) && number == 2);
	ck_assert(wire_dbus_read_byte(&reader, &byte) && byte == 9);
	ck_assert(wire_dbus_read_byte(&reader, &byte) && byte == 8);
	ck_assert(!wire_dbus_read_byte(&reader, &byte));
	ck_assert(!wire_dbus_read_u32(&reader, &number));
}
END_TEST

START_TEST(an_array_of_structs_is_padded_before_it_is_counted)
{
	static const unsigned char expected[] = { 9, 0, 0, 0, 9,   0, 0, 0, /* length */
						  1, 0, 0, 0, 'a', 0, 0, 0, /* padded string */
						  0 };
	own_clear(str_clear) struct str body = { 0 };

	wire_dbus_add_u32(&body, 9);
	size_t begin = wire_dbus_begin_array(&body, 8);
	wire_dbus_add_struct(&body);
	wire_dbus_add_string(&body, "a");
	str_add_n(&body, "\0\0", 3);
	wire_dbus_end_array(&body, begin, 8);
	ck_assert_uint_eq(body.length, sizeof(expected));
	ck_assert_mem_eq(body.text, expected, sizeof(expected));
}
END_TEST

/* Every byte of a good message set to every value: parsed or refused, never read beyond. */
START_TEST(a_damaged_message_is_refused_or_harmless)
{
	for (size_t at = 0; at < sizeof(hello); at++) {
		unsigned char *bytes = mem_new(1, sizeof(hello));
		memcpy(bytes, hello, sizeof(hello));
		for (int value = 0; value < 256; value++) {
			struct wire_dbus_message message;
			struct err e;
			bytes[at] = (unsigned char)value;
			int r = wire_dbus_message_parse(&message, bytes, sizeof(hello), &e);
			ck_assert(r == 0 || e.kind == ERR_CORRUPT);
		}
		free(bytes);
	}
}
END_TEST

UNIT_MAIN("wire/dbus_message", UNIT(a_call_is_laid_out_as_the_specification_says),
	  UNIT(what_is_written_is_read_again),
	  UNIT(an_array_of_structs_is_padded_before_it_is_counted),
	  UNIT(a_damaged_message_is_refused_or_harmless))
