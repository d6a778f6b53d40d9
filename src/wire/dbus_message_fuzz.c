/* Whatever a bus sends: header, then the body read as the signals that are waited for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/dbus_message.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	struct wire_dbus_message message;
	const char *text;
	uint32_t id;
	struct err e;

	if (wire_dbus_message_parse(&message, bytes, length, &e) < 0)
		return 0;
	struct wire_dbus_reader reader = { .bytes = message.body, .length = message.body_length };
	if (message.body + message.body_length != bytes + length)
		abort();
	if (wire_dbus_read_u32(&reader, &id) && wire_dbus_read_string(&reader, &text) &&
	    wire_dbus_read_string(&reader, &text) && wire_dbus_read_string(&reader, &text) &&
	    strlen(text) >= length)
		abort();
	return 0;
}
