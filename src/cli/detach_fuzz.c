/* The keys that leave a container's terminal, as --detach-keys names them. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "cli/detach.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, strnlen((const char *)bytes, length));
	struct cli_detach detach;
	struct err e;

	cli_detach_parse(&detach, text, &e);
	return 0;
}
