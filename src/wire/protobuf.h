/* protobuf.h - messages of Protocol Buffers, field by field; pure. Two wire types of the six:
 * numbers (varint) and bytes (strings, messages); what else a message holds is passed over.
 * https://protobuf.dev/programming-guides/encoding/ */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* ---- writing: fields are appended ---- */

void wire_protobuf_add_number(struct str *to, unsigned field, uint64_t value);
void wire_protobuf_add_bytes(struct str *to, unsigned field, const void *bytes, size_t length);
void wire_protobuf_add_text(struct str *to, unsigned field, const char *text);
void wire_protobuf_add_message(struct str *to, unsigned field, const struct str *message);

/* ---- reading ---- */

struct wire_protobuf_reader {
	const unsigned char *bytes;
	size_t length;
	size_t at;
};

struct wire_protobuf_field {
	unsigned number;
	uint64_t value;             /* of a number */
	const unsigned char *bytes; /* NULL: it is a number; else borrowed from the reader's */
	size_t length;
};

/* The next number or bytes; false at the end, and for good where a message is damaged. */
bool wire_protobuf_next(struct wire_protobuf_reader *reader, struct wire_protobuf_field *ret);
