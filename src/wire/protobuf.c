#include "wire/protobuf.h"

#include <string.h>

#include "base/str.h"

enum wire_type { VARINT, FIXED_64, BYTES, FIXED_32 = 5 };

/* ---- writing ---- */

static void add_varint(struct str *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		str_add_char(to, (char)(value | 0x80));
	str_add_char(to, (char)value);
}

static void add_key(struct str *to, unsigned field, enum wire_type type)
{
	add_varint(to, (uint64_t)field << 3 | type);
}

void wire_protobuf_add_number(struct str *to, unsigned field, uint64_t value)
{
	add_key(to, field, VARINT);
	add_varint(to, value);
}

void wire_protobuf_add_bytes(struct str *to, unsigned field, const void *bytes, size_t length)
{
	add_key(to, field, BYTES);
	add_varint(to, length);
	str_add_n(to, bytes, length);
}

void wire_protobuf_add_text(struct str *to, unsigned field, const char *text)
{
	wire_protobuf_add_bytes(to, field, text, strlen(text));
}

void wire_protobuf_add_message(struct str *to, unsigned field, const struct str *message)
{
	wire_protobuf_add_bytes(to, field, message->text ? message->text : "", message->length);
}

/* ---- reading ---- */

static bool read_varint(struct wire_protobuf_reader *reader, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && reader->at < reader->length; shift += 7) {
		unsigned char byte = reader->bytes[reader->at++];
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = value;
		return true;
	}
	return false;
}

static bool take(struct wire_protobuf_reader *reader, uint64_t length)
{
	if (length > reader->length - reader->at)
		return false;
	reader->at += (size_t)length;
	return true;
}

/* Passes over what is neither a number nor bytes, ret->number being 0 then. */
static bool read_field(struct wire_protobuf_reader *reader, struct wire_protobuf_field *ret)
{
	uint64_t key, length;

	*ret = (struct wire_protobuf_field){ 0 };
	if (!read_varint(reader, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
		return false;
	switch (key & 7) {
	case VARINT:
		ret->number = (unsigned)(key >> 3);
		return read_varint(reader, &ret->value);
	case BYTES:
		ret->number = (unsigned)(key >> 3);
		if (!read_varint(reader, &length) || !take(reader, length))
			return false;
		ret->length = (size_t)length;
		ret->bytes = reader->bytes + reader->at - length;
		return true;
	case FIXED_64:
		return take(reader, 8);
	case FIXED_32:
		return take(reader, 4);
	default:
		return false;
	}
}

bool wire_protobuf_next(struct wire_protobuf_reader *reader, struct wire_protobuf_field *ret)
{
	while (reader->at < reader->length) {
		struct wire_protobuf_field field;
		if (!read_field(reader, &field)) {
			reader->at = reader->length;
			return false;
		}
		if (field.number == 0)
			continue;
		*ret = field;
		return true;
	}
	return false;
}
