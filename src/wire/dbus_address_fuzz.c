/* An address as the environment may have it. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "wire/dbus_address.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	own_free char *address = mem_text_n((const char *)bytes, length);
	struct sockaddr_un name;
	socklen_t used;
	struct err e;

	if (wire_dbus_address_parse(&name, &used, address, &e) < 0)
		return 0;
	if (used <= offsetof(struct sockaddr_un, sun_path) + 1 || used > sizeof(name))
		abort();
	return 0;
}
