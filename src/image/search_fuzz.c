/* Any bytes as a registry's answer: refused with a sentence, or every result has a name. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "image/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(image_search_clear) struct image_search_results all = { 0 };
	struct err e = { 0 };

	if (image_search_parse(&all, (const char *)bytes, length, "a", &e) < 0)
		assert(*e.text && !all.results.count);
	for (size_t i = 0; i < all.results.count; i++)
		assert(all.results.items[i].name);
	return 0;
}
