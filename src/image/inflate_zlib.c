#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "image/inflate.h"

struct image_inflate {
	z_stream stream;
};

enum { GZIP_WINDOW = 15 + 16 }; /* zlib.h, inflateInit2: 16 more than the window is gzip */

struct image_inflate *image_inflate_new(void)
{
	struct image_inflate *inflate = mem_new_struct(struct image_inflate);

	/* it fails for want of memory alone */
	if (inflateInit2(&inflate->stream, GZIP_WINDOW) != Z_OK)
		abort();
	return inflate;
}

void image_inflate_free(struct image_inflate *inflate)
{
	inflateEnd(&inflate->stream);
	free(inflate);
}

enum image_inflate_state image_inflate_step(struct image_inflate *inflate, const void **in,
					    size_t *in_length, void *out, size_t room,
					    size_t *written)
{
	z_stream *stream = &inflate->stream;

	/* the bytes are not changed; the type lacks the const */
	stream->next_in = (Bytef *)*in;
	stream->avail_in = (uInt)*in_length;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	int r = inflate(stream, Z_NO_FLUSH);
	*in = stream->next_in;
	*in_length = stream->avail_in;
	*written = room - stream->avail_out;
	if (r == Z_STREAM_END) {
		inflateReset(stream);
		return IMAGE_INFLATE_END;
	}
	return r == Z_OK || r == Z_BUF_ERROR ? IMAGE_INFLATE_MORE : IMAGE_INFLATE_DAMAGED;
}
