/* Any text: a name of an image is refused with a sentence, or its full form means the same when
 * it is read again, and holds nothing that could be a path outside or a second header. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/reference.h"
#include "image/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_reference(const char *text)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_reference_clear) struct image_reference again = { 0 };
	struct err e = { 0 };

	if (image_reference_parse(&ref, text, &e) < 0) {
		assert(e.text[0] && !ref.path);
		return;
	}
	own_free char *full = image_reference_format(&ref);
	assert(!strstr(ref.path, "..") && !strstr(ref.domain, ".."));
	assert(!strpbrk(full, " \r\n\t\\%?#"));
	assert(strlen(ref.domain) + strlen(ref.path) + 1 <= IMAGE_NAME_MAX);
	assert(image_reference_parse(&again, full, &e) == 0);
	own_free char *twice = image_reference_format(&again);
	assert(strcmp(full, twice) == 0);
	/* what people are shown means the same */
	own_clear(image_reference_clear) struct image_reference shown = { 0 };
	assert(image_reference_parse(&shown, image_reference_familiar(full), &e) == 0);
	own_free char *thrice = image_reference_format(&shown);
	assert(strcmp(full, thrice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct err e = { 0 };

	check_reference(text);
	if (image_source_parse(&source, text, &e) == 0) {
		own_free char *stored = image_source_stored_name(&source);
		assert(stored || source.transport != IMAGE_FROM_REGISTRY);
	} else {
		assert(e.text[0]);
	}
	return 0;
}
