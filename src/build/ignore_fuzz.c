/* An ignore file, up to the first empty line, and a path behind it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "build/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	own_clear(build_ignore_clear) struct build_ignore ignore = { 0 };
	char *path = strstr(text, "\n\n");
	struct err e;

	if (path)
		*path = '\0';
	if (build_ignore_parse(&ignore, "f", text, strlen(text), &e) < 0 || !path)
		return 0;
	own_free bool *matched = mem_new(ignore.patterns.count + 1, sizeof(bool));
	build_ignore_match(&ignore, path + 2, matched);
	return 0;
}
