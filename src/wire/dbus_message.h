/* dbus_message.h - messages of D-Bus, put together and taken apart; pure. The subset that a
 * client of systemd needs: little-endian, no descriptors.
 * https://dbus.freedesktop.org/doc/dbus-specification.html, "Message Protocol". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

/* The specification allows 128 MiB; what systemd tells us is far below a megabyte. */
enum { WIRE_DBUS_BYTES_MAX = 1 << 20, WIRE_DBUS_HEADER_BYTES = 16 };

enum wire_dbus_type {
	WIRE_DBUS_CALL = 1,
	WIRE_DBUS_RETURN,
	WIRE_DBUS_ERROR,
	WIRE_DBUS_SIGNAL,
};

/* ---- writing: values are appended to a body, each aligned as its type asks ---- */

void wire_dbus_add_byte(struct str *body, uint8_t value);
void wire_dbus_add_u16(struct str *body, uint16_t value);
void wire_dbus_add_u32(struct str *body, uint32_t value); /* also a boolean, 0 or 1 */
void wire_dbus_add_u64(struct str *body, uint64_t value);
void wire_dbus_add_string(struct str *body, const char *text); /* or an object path */
void wire_dbus_add_signature(struct str *body, const char *signature);
void wire_dbus_add_struct(struct str *body); /* "(": pads, and no more */

/* An array whose elements align to 1, 4 or 8 (struct, u64); returns what end takes. */
size_t wire_dbus_begin_array(struct str *body, size_t alignment);
void wire_dbus_end_array(struct str *body, size_t begin, size_t alignment);

/* What a message is for; NULL: not there. */
struct wire_dbus_head {
	enum wire_dbus_type type;
	uint32_t serial; /* not 0 */
	const char *destination;
	const char *path;
	const char *interface;
	const char *member;
	const char *signature; /* of the body */
};

/* The whole message. */
void wire_dbus_format(struct str *to, const struct wire_dbus_head *head, const struct str *body);

/* ---- reading ---- */

struct wire_dbus_message {
	struct wire_dbus_head head; /* borrows from the bytes */
	uint32_t reply_serial;      /* of a return or an error */
	const char *error_name;
	const unsigned char *body;
	size_t body_length;
};

/* How long the message is whose first 16 bytes these are. ERR_CORRUPT: not ours, or too long. */
int wire_dbus_message_length(size_t *ret, const unsigned char bytes[WIRE_DBUS_HEADER_BYTES],
			     struct err *e);

/* bytes is one message, and stays as long as *ret is used. ERR_CORRUPT. */
int wire_dbus_message_parse(struct wire_dbus_message *ret, const unsigned char *bytes,
			    size_t length, struct err *e);

/* Values in order; false, once and for all, when what comes next is not there. */
struct wire_dbus_reader {
	const unsigned char *bytes;
	size_t length;
	size_t at;
	bool failed;
};
bool wire_dbus_read_byte(struct wire_dbus_reader *reader, uint8_t *ret);
bool wire_dbus_read_u32(struct wire_dbus_reader *reader, uint32_t *ret);
bool wire_dbus_read_string(struct wire_dbus_reader *reader, const char **ret); /* or a path */
bool wire_dbus_read_signature(struct wire_dbus_reader *reader, const char **ret);
