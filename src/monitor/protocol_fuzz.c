/* Any bytes, in pieces: the reader gives frames within their bounds or refuses; payloads are read
 * without leaving them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "monitor/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void look_at(const struct monitor_frame *frame)
{
	struct monitor_exit status;
	struct err e;

	assert(frame->length <= MONITOR_PAYLOAD_MAX);
	if (frame->type == MONITOR_EXIT)
		monitor_get_exit(&status, frame);
	if (frame->type == MONITOR_ERROR && monitor_get_err(&e, frame) == 0)
		assert(e.kind < ERR_KINDS && e.number > 0 && strlen(e.text) < sizeof(e.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct monitor_frames frames = { 0 };
	struct monitor_frame frame;
	int r = 0;

	while (length && r == 0) {
		size_t room;
		void *to = monitor_frames_room(&frames, &room);
		size_t piece = 1U + bytes[0] % 64U;
		assert(room > 0);
		piece = piece < room ? piece : room;
		piece = piece < length ? piece : length;
		memcpy(to, bytes, piece);
		monitor_frames_added(&frames, piece);
		bytes += piece;
		length -= piece;
		while ((r = monitor_frames_next(&frames, &frame)) > 0)
			look_at(&frame);
	}
	monitor_frames_clear(&frames);
	return 0;
}
