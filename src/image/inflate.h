/* inflate.h - one gzip member after the other, by ISA-L (inflate_isal.c, 2.3 times as fast) or by
 * zlib (inflate_zlib.c), as the build chose. For decompress.c alone. */
#pragma once
#include <stddef.h>

struct image_inflate;

enum image_inflate_state {
	IMAGE_INFLATE_DAMAGED = -1,
	IMAGE_INFLATE_MORE = 0, /* wants more input, or more room if out is full */
	IMAGE_INFLATE_END = 1,  /* of a member, its checksum verified; ready for the next */
};

struct image_inflate *image_inflate_new(void);
void image_inflate_free(struct image_inflate *inflate);

/* Takes from *in (advancing it) and writes at most room bytes to out; *written says how many. */
enum image_inflate_state image_inflate_step(struct image_inflate *inflate, const void **in,
					    size_t *in_length, void *out, size_t room,
					    size_t *written);
