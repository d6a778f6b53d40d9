/* Any text: refused, or a moment that moment_format() writes and moment_parse() reads back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(int64_t moment)
{
	char text[MOMENT_TEXT_SIZE], span[32];
	struct err e;
	int64_t again;

	moment_format(text, moment);
	assert(moment_parse(&again, text, &e) == 0 && again == moment);
	moment_format_span(span, moment);
	assert(span[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct err e = { 0 };
	int64_t moment;

	if (moment_parse(&moment, text, &e) == 0)
		check(moment);
	else
		assert(e.kind == ERR_INVALID && e.text[0]);
	if (length == sizeof(moment)) {
		memcpy(&moment, bytes, sizeof(moment));
		check(moment);
	}
	return 0;
}
