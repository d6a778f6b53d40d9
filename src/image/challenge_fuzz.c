/* Any header: refused, or a challenge whose values are bounded and hold no control characters. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_value(const char *value)
{
	assert(!value || strlen(value) <= IMAGE_CHALLENGE_VALUE_MAX);
	assert(!value || !strpbrk(value, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(image_challenge_clear) struct image_challenge c = { 0 };
	own_clear(strv_clear) struct strv headers = { 0 };
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct err e = { 0 };

	/* libcurl hands out one line without its end */
	text[strcspn(text, "\r\n")] = '\0';
	strv_add(&headers, text);
	if (image_challenge_parse(&c, &headers, &e) < 0) {
		assert(e.text[0] && !c.realm);
		return 0;
	}
	assert(!c.bearer || c.realm);
	check_value(c.realm);
	check_value(c.service);
	check_value(c.scope);
	return 0;
}
