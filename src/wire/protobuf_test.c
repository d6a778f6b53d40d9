#include "wire/protobuf.h"

#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

/* The examples of the encoding's description: 150 in field 1, "testing" in field 2, the first as a
 * message in field 3. */
static const unsigned char sample[] = { 0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's', 't',
					'i',  'n',  'g',  0x1a, 0x03, 0x08, 0x96, 0x01 };

START_TEST(a_message_is_laid_out_as_the_description_says)
{
	own_clear(str_clear) struct str message = { 0 }, inner = { 0 };

	wire_protobuf_add_number(&message, 1, 150);
	wire_protobuf_add_text(&message, 2, "testing");
	wire_protobuf_add_number(&inner, 1, 150);
	wire_protobuf_add_message(&message, 3, &inner);
	ck_assert_uint_eq(message.length, sizeof(sample));
	ck_assert_int_eq(memcmp(message.text, sample, sizeof(sample)), 0);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	struct wire_protobuf_reader reader = { sample, sizeof(sample), 0 };
	struct wire_protobuf_field field;

	ck_assert(wire_protobuf_next(&reader, &field));
	ck_assert_uint_eq(field.number, 1);
	ck_assert_uint_eq(field.value, 150);
	ck_assert_ptr_null(field.bytes);
	ck_assert(wire_protobuf_next(&reader, &field));
	ck_assert_uint_eq(field.number, 2);
	ck_assert_uint_eq(field.length, 7);
	ck_assert_int_eq(memcmp(field.bytes, "testing", 7), 0);
	ck_assert(wire_protobuf_next(&reader, &field));
	struct wire_protobuf_reader inner = { field.bytes, field.length, 0 };
	ck_assert(wire_protobuf_next(&inner, &field));
	ck_assert_uint_eq(field.value, 150);
	ck_assert(!wire_protobuf_next(&inner, &field));
	ck_assert(!wire_protobuf_next(&reader, &field));
}
END_TEST

START_TEST(the_largest_number_is_kept)
{
	own_clear(str_clear) struct str message = { 0 };
	struct wire_protobuf_field field;

	wire_protobuf_add_number(&message, 536870911, UINT64_MAX);
	struct wire_protobuf_reader reader = { (unsigned char *)message.text, message.length, 0 };
	ck_assert(wire_protobuf_next(&reader, &field));
	ck_assert_uint_eq(field.number, 536870911);
	ck_assert_uint_eq(field.value, UINT64_MAX);
}
END_TEST

START_TEST(other_types_are_passed_over)
{
	static const unsigned char bytes[] = { 0x09, 1,    2, 3, 4, 5, 6,    7,
					       8,    0x0d, 1, 2, 3, 4, 0x10, 5 };
	struct wire_protobuf_reader reader = { bytes, sizeof(bytes), 0 };
	struct wire_protobuf_field field;

	ck_assert(wire_protobuf_next(&reader, &field));
	ck_assert_uint_eq(field.number, 2);
	ck_assert_uint_eq(field.value, 5);
}
END_TEST

START_TEST(a_message_that_is_cut_off_ends)
{
	for (size_t length = 0; length < sizeof(sample); length++) {
		own_free unsigned char *bytes = mem_new(length + 1, 1);
		memcpy(bytes, sample, length);
		struct wire_protobuf_reader reader = { bytes, length, 0 };
		struct wire_protobuf_field field;
		size_t count = 0;
		while (wire_protobuf_next(&reader, &field))
			count++;
		ck_assert_uint_lt(count, 3);
	}
}
END_TEST

UNIT_MAIN("wire/protobuf", UNIT(a_message_is_laid_out_as_the_description_says),
	  UNIT(what_is_written_is_read_again), UNIT(the_largest_number_is_kept),
	  UNIT(other_types_are_passed_over), UNIT(a_message_that_is_cut_off_ends))
