/* A line of the journal: refused, or an event that has all it needs. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "storage/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(storage_event_clear) struct storage_event event = { 0 };
	struct err e = { 0 };

	if (storage_event_parse(&event, (const char *)bytes, length, &e) == 0)
		assert(event.type && event.action && event.id);
	else
		assert(e.kind == ERR_CORRUPT && e.text[0] && !event.type);
	return 0;
}
