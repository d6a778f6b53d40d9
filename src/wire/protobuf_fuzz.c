/* Any bytes as a message, and what is in it as messages again. */
#include <stdlib.h>

#include "wire/protobuf.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void read_all(const unsigned char *bytes, size_t length, int depth)
{
	struct wire_protobuf_reader reader = { bytes, length, 0 };
	struct wire_protobuf_field field;

	while (wire_protobuf_next(&reader, &field)) {
		if (!field.number || field.length > length)
			abort();
		if (field.bytes && depth < 8)
			read_all(field.bytes, field.length, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	read_all(bytes, length, 0);
	return 0;
}
