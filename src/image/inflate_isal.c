#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base/mem.h"
#include "image/inflate.h"

struct image_inflate {
	struct inflate_state state;
};

static void restart(struct image_inflate *inflate)
{
	isal_inflate_reset(&inflate->state);
	inflate->state.crc_flag = ISAL_GZIP;
}

struct image_inflate *image_inflate_new(void)
{
	struct image_inflate *inflate = mem_new_struct(struct image_inflate);

	isal_inflate_init(&inflate->state);
	restart(inflate);
	return inflate;
}

void image_inflate_free(struct image_inflate *inflate)
{
	free(inflate);
}

enum image_inflate_state image_inflate_step(struct image_inflate *inflate, const void **in,
					    size_t *in_length, void *out, size_t room,
					    size_t *written)
{
	struct inflate_state *state = &inflate->state;

	/* the bytes are not changed; the type lacks the const */
	state->next_in = (uint8_t *)*in;
	state->avail_in = (uint32_t)*in_length;
	state->next_out = out;
	state->avail_out = (uint32_t)room;
	int r = isal_inflate(state);
	*in = state->next_in;
	*in_length = state->avail_in;
	*written = room - state->avail_out;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW)
		return IMAGE_INFLATE_DAMAGED;
	if (state->block_state != ISAL_BLOCK_FINISH)
		return IMAGE_INFLATE_MORE;
	restart(inflate);
	return IMAGE_INFLATE_END;
}
