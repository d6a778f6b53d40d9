/* Any line from holm-image: refused, or what it says can be written and read again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "image/progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct image_progress progress = { 0 }, again = { 0 };
	struct err e = { 0 };

	if (image_progress_read(&progress, (const char *)bytes, length, &e) < 0) {
		assert(e.text[0]);
		return 0;
	}
	own_free char *line = image_progress_write(&progress);
	assert(image_progress_read(&again, line, strlen(line) - 1, &e) == 0);
	assert(again.kind == progress.kind);
	return 0;
}
