/* Any bytes as a file of keys, and as what gpgv says. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/gpgv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(str_clear) struct str keys = { 0 };
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct err e = { 0 };

	if (image_gpgv_dearmor(&keys, (const char *)bytes, length, &e) < 0)
		assert(*e.text);
	else
		assert(keys.length <= length);
	if (image_gpgv_judge(text, &e) < 0)
		assert(*e.text);
	return 0;
}
