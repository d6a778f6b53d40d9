/* Any bytes as a compressed stream, handed out in pieces of several sizes: each time the same comes
 * out, and it ends. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "image/decompress.h"

enum { OUTPUT_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct bytes {
	const uint8_t *at;
	size_t left, step;
};

static ssize_t next_bytes(void *context, const void **block, struct err *e)
{
	struct bytes *bytes = context;
	size_t n = bytes->left < bytes->step ? bytes->left : bytes->step;

	(void)e;
	*block = bytes->at;
	bytes->at += n;
	bytes->left -= n;
	return (ssize_t)n;
}

/* The length and a sum of what comes out; failed says how it ended. */
static uint64_t run(const uint8_t *input, size_t length, size_t step, int *failed)
{
	struct bytes bytes = { input, length, step };
	struct byte_source source = { next_bytes, &bytes };
	own(image_decompress_free) struct image_decompress *d = image_decompress_new(&source, 0);
	image_decompress_take_others(d);
	struct byte_source plain = image_decompress_source(d);
	uint64_t sum = 0, total = 0;
	const void *block;
	struct err e;
	ssize_t n;

	while ((n = plain.next(plain.context, &block, &e)) > 0 && total < OUTPUT_MAX) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + ((const uint8_t *)block)[i];
		total += (uint64_t)n;
	}
	*failed = n < 0;
	return *failed ? 0 : sum + total;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int failed, failed_too;
	uint64_t one = run(bytes, length, length ? length : 1, &failed);
	uint64_t two = run(bytes, length, 1, &failed_too);

	assert(one == two && failed == failed_too);
	return 0;
}
