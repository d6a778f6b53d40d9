#include "wire/dbus_message.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

/* "Header Fields" of the specification. */
enum {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR_NAME,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE,
};

enum { VERSION = 1, HEADER_FIXED = 12 };

/* ---- writing ---- */

static void pad(struct str *to, size_t alignment)
{
	while (to->length % alignment)
		str_add_char(to, '\0');
}

static void add_number(struct str *to, uint64_t value, size_t size)
{
	pad(to, size);
	for (size_t i = 0; i < size; i++)
		str_add_char(to, (char)(value >> 8 * i));
}

void wire_dbus_add_byte(struct str *body, uint8_t value)
{
	add_number(body, value, 1);
}

void wire_dbus_add_u16(struct str *body, uint16_t value)
{
	add_number(body, value, 2);
}

void wire_dbus_add_u32(struct str *body, uint32_t value)
{
	add_number(body, value, 4);
}

void wire_dbus_add_u64(struct str *body, uint64_t value)
{
	add_number(body, value, 8);
}

void wire_dbus_add_string(struct str *body, const char *text)
{
	wire_dbus_add_u32(body, (uint32_t)strlen(text));
	str_add_n(body, text, strlen(text) + 1);
}

void wire_dbus_add_signature(struct str *body, const char *signature)
{
	wire_dbus_add_byte(body, (uint8_t)strlen(signature));
	str_add_n(body, signature, strlen(signature) + 1);
}

void wire_dbus_add_struct(struct str *body)
{
	pad(body, 8);
}

static void put_u32(struct str *to, size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		to->text[at + i] = (char)(value >> 8 * i);
}

/* The length does not count the padding between itself and the first element. */
size_t wire_dbus_begin_array(struct str *body, size_t alignment)
{
	wire_dbus_add_u32(body, 0);
	size_t begin = body->length - 4;
	pad(body, alignment);
	return begin;
}

void wire_dbus_end_array(struct str *body, size_t begin, size_t alignment)
{
	size_t first = (begin + 4 + alignment - 1) / alignment * alignment;

	put_u32(body, begin, (uint32_t)(body->length - first));
}

static void add_field(struct str *to, uint8_t field, const char *type, const char *value)
{
	if (!value)
		return;
	wire_dbus_add_struct(to);
	wire_dbus_add_byte(to, field);
	wire_dbus_add_signature(to, type);
	if (*type == 'g')
		wire_dbus_add_signature(to, value);
	else
		wire_dbus_add_string(to, value);
}

void wire_dbus_format(struct str *to, const struct wire_dbus_head *head, const struct str *body)
{
	str_clear(to);
	str_add_char(to, 'l');
	wire_dbus_add_byte(to, (uint8_t)head->type);
	wire_dbus_add_byte(to, 0);
	wire_dbus_add_byte(to, VERSION);
	wire_dbus_add_u32(to, (uint32_t)body->length);
	wire_dbus_add_u32(to, head->serial);
	size_t fields = wire_dbus_begin_array(to, 8);
	add_field(to, FIELD_PATH, "o", head->path);
	add_field(to, FIELD_INTERFACE, "s", head->interface);
	add_field(to, FIELD_MEMBER, "s", head->member);
	add_field(to, FIELD_DESTINATION, "s", head->destination);
	add_field(to, FIELD_SIGNATURE, "g", head->signature);
	wire_dbus_end_array(to, fields, 8);
	pad(to, 8);
	if (body->length)
		str_add_n(to, body->text, body->length);
}

/* ---- reading ---- */

static bool fail(struct wire_dbus_reader *r)
{
	r->failed = true;
	return false;
}

static bool align(struct wire_dbus_reader *r, size_t alignment)
{
	size_t at = (r->at + alignment - 1) / alignment * alignment;

	if (r->failed || at > r->length)
		return fail(r);
	r->at = at;
	return true;
}

static const unsigned char *take(struct wire_dbus_reader *r, size_t size)
{
	if (r->failed || size > r->length - r->at) {
		fail(r);
		return NULL;
	}
	const unsigned char *bytes = r->bytes + r->at;
	r->at += size;
	return bytes;
}

static uint32_t u32_at(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

bool wire_dbus_read_byte(struct wire_dbus_reader *r, uint8_t *ret)
{
	const unsigned char *byte = take(r, 1);

	if (byte)
		*ret = *byte;
	return byte;
}

bool wire_dbus_read_u32(struct wire_dbus_reader *r, uint32_t *ret)
{
	const unsigned char *bytes = align(r, 4) ? take(r, 4) : NULL;

	if (bytes)
		*ret = u32_at(bytes);
	return bytes;
}

/* length bytes without a NUL among them, and one behind. */
static bool read_text(struct wire_dbus_reader *r, size_t length, const char **ret)
{
	const unsigned char *text = take(r, length + 1);

	if (!text || memchr(text, '\0', length + 1) != text + length)
		return fail(r);
	*ret = (const char *)text;
	return true;
}

bool wire_dbus_read_string(struct wire_dbus_reader *r, const char **ret)
{
	uint32_t length;

	return wire_dbus_read_u32(r, &length) && read_text(r, length, ret);
}

bool wire_dbus_read_signature(struct wire_dbus_reader *r, const char **ret)
{
	uint8_t length;

	return wire_dbus_read_byte(r, &length) && read_text(r, length, ret);
}

int wire_dbus_message_length(size_t *ret, const unsigned char bytes[WIRE_DBUS_HEADER_BYTES],
			     struct err *e)
{
	uint32_t body = u32_at(bytes + 4);
	uint32_t fields = u32_at(bytes + HEADER_FIXED);

	if (bytes[0] != 'l' || bytes[3] != VERSION)
		return err_set(e, ERR_CORRUPT, "a message of D-Bus that is not little-endian");
	if (body > WIRE_DBUS_BYTES_MAX || fields > WIRE_DBUS_BYTES_MAX)
		return err_set(e, ERR_CORRUPT, "a message of D-Bus with more than %d bytes",
			       WIRE_DBUS_BYTES_MAX);
	*ret = WIRE_DBUS_HEADER_BYTES + ((size_t)fields + 7) / 8 * 8 + body;
	return 0;
}

/* The value of a field whose type is none of those below; only u32, strings and signatures can be
 * in a header. */
static bool read_field(struct wire_dbus_reader *r, struct wire_dbus_message *to)
{
	const char **texts[] = {
		[FIELD_PATH] = &to->head.path,
		[FIELD_INTERFACE] = &to->head.interface,
		[FIELD_MEMBER] = &to->head.member,
		[FIELD_ERROR_NAME] = &to->error_name,
		[FIELD_DESTINATION] = &to->head.destination,
		[FIELD_SIGNATURE] = &to->head.signature,
	};
	const char *type;
	const char *text;
	uint32_t number;
	uint8_t field;

	if (!align(r, 8) || !wire_dbus_read_byte(r, &field) || !wire_dbus_read_signature(r, &type))
		return false;
	if (str_equal(type, "u")) {
		if (!wire_dbus_read_u32(r, &number))
			return false;
		if (field == FIELD_REPLY_SERIAL)
			to->reply_serial = number;
		return true;
	}
	bool known = str_equal(type, "g") ? wire_dbus_read_signature(r, &text)
		     : str_equal(type, "s") || str_equal(type, "o")
			     ? wire_dbus_read_string(r, &text)
			     : fail(r);
	if (known && field <= FIELD_SIGNATURE && texts[field])
		*texts[field] = text;
	return known;
}

int wire_dbus_message_parse(struct wire_dbus_message *ret, const unsigned char *bytes,
			    size_t length, struct err *e)
{
	struct wire_dbus_message message = { 0 };
	size_t whole;

	if (length < WIRE_DBUS_HEADER_BYTES)
		return err_set(e, ERR_CORRUPT, "a message of D-Bus without a header");
	int r = wire_dbus_message_length(&whole, bytes, e);
	if (r < 0)
		return r;
	if (whole != length)
		return err_set(e, ERR_CORRUPT, "a message of D-Bus with a wrong length");
	struct wire_dbus_reader fields = {
		.bytes = bytes,
		.length = WIRE_DBUS_HEADER_BYTES + u32_at(bytes + HEADER_FIXED),
		.at = WIRE_DBUS_HEADER_BYTES,
	};
	while (fields.at < fields.length)
		if (!read_field(&fields, &message))
			return err_set(e, ERR_CORRUPT, "a header of D-Bus that makes no sense");
	message.head.type = bytes[1];
	message.head.serial = u32_at(bytes + 8);
	message.body_length = u32_at(bytes + 4);
	message.body = bytes + length - message.body_length;
	*ret = message;
	return 0;
}
