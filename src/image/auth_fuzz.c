/* Any file of credentials: refused with a sentence, or an answer; never both. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "image/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(image_auth_clear) struct image_auth auth = { 0 };
	own_free char *helper = NULL;
	struct err e = { 0 };
	int r = image_auth_parse(&auth, &helper, (const char *)bytes, length, "example.com:5000",
				 "a/b", "fuzz", &e);

	assert(r <= 1);
	if (r < 0)
		assert(e.text[0] && !auth.user && !auth.token);
	if (r == 1) {
		own_free char *header = image_auth_basic(&auth);
		assert(auth.user || auth.token || auth.password);
		assert(!strpbrk(header, "\r\n"));
	}
	return 0;
}
