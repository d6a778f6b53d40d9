/* Any bytes as what was signed: refused with a sentence, or both names are there. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "image/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(image_claim_clear) struct image_claim claim = { 0 };
	struct err e = { 0 };

	if (image_claim_parse(&claim, (const char *)bytes, length, &e) < 0)
		assert(*e.text && !claim.reference && !claim.digest);
	else
		assert(claim.reference && claim.digest);
	return 0;
}
