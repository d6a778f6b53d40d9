#include "monitor/protocol.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { FRAME_MAX = MONITOR_HEADER_SIZE + MONITOR_PAYLOAD_MAX };

/* How long the payload of each type may be; -1: no such type. */
static int64_t payload_max(unsigned type)
{
	switch (type) {
	case MONITOR_ATTACH:
		return 1;
	case MONITOR_STDIN:
	case MONITOR_STDOUT:
	case MONITOR_STDERR:
	case MONITOR_ERROR:
	case MONITOR_UPDATE:
		return MONITOR_PAYLOAD_MAX;
	case MONITOR_RESIZE:
		return MONITOR_RESIZE_SIZE;
	case MONITOR_KILL:
	case MONITOR_STARTED:
	case MONITOR_CHECKED:
	case MONITOR_REBOOT:
		return 4;
	case MONITOR_STOP:
	case MONITOR_DROPPED:
		return 8;
	case MONITOR_EXIT:
		return MONITOR_EXIT_SIZE;
	case MONITOR_STDIN_EOF:
	case MONITOR_PAUSE:
	case MONITOR_UNPAUSE:
	case MONITOR_HOLD:
	case MONITOR_RELEASE:
	case MONITOR_WAIT:
	case MONITOR_CHECK:
	case MONITOR_AWAIT:
	case MONITOR_CHECKPOINT:
	case MONITOR_READY:
	case MONITOR_OK:
		return 0;
	default:
		return -1;
	}
}

void monitor_frames_clear(struct monitor_frames *frames)
{
	free(frames->bytes);
	*frames = (struct monitor_frames){ 0 };
}

void *monitor_frames_room(struct monitor_frames *frames, size_t *ret_room)
{
	if (!frames->bytes)
		frames->bytes = mem_new(FRAME_MAX, 1);
	if (frames->start) {
		memmove(frames->bytes, frames->bytes + frames->start, frames->end - frames->start);
		frames->end -= frames->start;
		frames->start = 0;
	}
	*ret_room = FRAME_MAX - frames->end;
	return frames->bytes + frames->end;
}

void monitor_frames_added(struct monitor_frames *frames, size_t count)
{
	assert(count <= FRAME_MAX - frames->end);
	frames->end += count;
}

int monitor_frames_next(struct monitor_frames *frames, struct monitor_frame *ret)
{
	size_t have = frames->end - frames->start;

	if (have < MONITOR_HEADER_SIZE)
		return 0;
	const unsigned char *at = frames->bytes + frames->start;
	uint32_t length = monitor_get_u32(at + 1);
	if ((int64_t)length > payload_max(at[0]))
		return -EPROTO;
	if (have - MONITOR_HEADER_SIZE < length)
		return 0;
	frames->start += MONITOR_HEADER_SIZE + length;
	*ret = (struct monitor_frame){ at[0], length, at + MONITOR_HEADER_SIZE };
	return 1;
}

void monitor_put_u32(unsigned char to[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

uint32_t monitor_get_u32(const unsigned char from[4])
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)from[i] << (8 * i);
	return value;
}

void monitor_put_u64(unsigned char to[8], uint64_t value)
{
	monitor_put_u32(to, (uint32_t)value);
	monitor_put_u32(to + 4, (uint32_t)(value >> 32));
}

uint64_t monitor_get_u64(const unsigned char from[8])
{
	return monitor_get_u32(from) | (uint64_t)monitor_get_u32(from + 4) << 32;
}

void monitor_put_header(unsigned char to[MONITOR_HEADER_SIZE], enum monitor_frame_type type,
			size_t length)
{
	assert(length <= MONITOR_PAYLOAD_MAX);
	to[0] = (unsigned char)type;
	monitor_put_u32(to + 1, (uint32_t)length);
}

void monitor_put_exit(unsigned char to[MONITOR_EXIT_SIZE], const struct monitor_exit *exit)
{
	monitor_put_u32(to, (uint32_t)exit->code);
	monitor_put_u32(to + 4, exit->flags);
	monitor_put_u64(to + 8, (uint64_t)exit->finished_ns);
}

int monitor_get_exit(struct monitor_exit *ret, const struct monitor_frame *frame)
{
	if (frame->length != MONITOR_EXIT_SIZE)
		return -EPROTO;
	ret->code = (int)monitor_get_u32(frame->payload);
	ret->flags = monitor_get_u32(frame->payload + 4);
	ret->finished_ns = (int64_t)monitor_get_u64(frame->payload + 8);
	return 0;
}

size_t monitor_put_err(unsigned char *to, const struct err *from)
{
	static_assert(8 + sizeof(from->text) + sizeof(from->hint) <= MONITOR_PAYLOAD_MAX,
		      "an error fits one frame");
	size_t text = strnlen(from->text, sizeof(from->text) - 1);
	size_t hint = strnlen(from->hint, sizeof(from->hint) - 1);

	monitor_put_u32(to, from->kind);
	monitor_put_u32(to + 4, (uint32_t)from->number);
	memcpy(to + 8, from->text, text);
	to[8 + text] = '\0';
	memcpy(to + 9 + text, from->hint, hint);
	to[9 + text + hint] = '\0';
	return 10 + text + hint;
}

/* Copies up to the NUL that must be there; returns what follows it. */
static const unsigned char *get_text(char *to, size_t size, const unsigned char *at,
				     const unsigned char *end)
{
	const unsigned char *nul = memchr(at, '\0', (size_t)(end - at));

	if (!nul)
		return NULL;
	size_t length = (size_t)(nul - at);
	if (length >= size)
		length = size - 1;
	memcpy(to, at, length);
	to[length] = '\0';
	return nul + 1;
}

int monitor_get_err(struct err *ret, const struct monitor_frame *frame)
{
	const unsigned char *end = frame->payload + frame->length;

	if (frame->length < 10)
		return -EPROTO;
	uint32_t kind = monitor_get_u32(frame->payload);
	uint32_t number = monitor_get_u32(frame->payload + 4);
	if (kind >= ERR_KINDS || number == 0 || number > 4095)
		return -EPROTO;

	struct err got = { .kind = kind, .number = (int)number };
	const unsigned char *at = get_text(got.text, sizeof(got.text), frame->payload + 8, end);
	if (at)
		at = get_text(got.hint, sizeof(got.hint), at, end);
	if (at != end)
		return -EPROTO;
	*ret = got;
	return 0;
}
