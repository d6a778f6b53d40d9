/* Any text: words that are joined and split again are the same words. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	own_clear(strv_clear) struct strv words = { 0 }, again = { 0 };
	struct err e = { 0 };

	if (words_split(&words, text, &e) < 0) {
		assert(e.kind == ERR_INVALID && e.text[0]);
		return 0;
	}
	own_free char *line = words_join(&words);
	assert(words_split(&again, line, &e) == 0 && again.count == words.count);
	for (size_t i = 0; i < words.count; i++)
		assert(strcmp(again.items[i], words.items[i]) == 0);
	return 0;
}
