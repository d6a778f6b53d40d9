#include "image/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* The reader is woken for at least this much, or for the end: a wake-up per packet of the network
 * would cost more than the bytes. */
enum { WAKE_BYTES = 128 << 10 };

struct image_ring {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	pthread_cond_t drained;
	char *bytes;
	size_t capacity;
	size_t start; /* of what is there */
	size_t used;
	size_t borrowed; /* what the reader looks at since its last call */
	bool finished;
	bool left;
	bool failed;
	struct err error;
};

struct image_ring *image_ring_new(size_t capacity)
{
	struct image_ring *ring = mem_new_struct(struct image_ring);

	pthread_mutex_init(&ring->mutex, NULL);
	pthread_cond_init(&ring->filled, NULL);
	pthread_cond_init(&ring->drained, NULL);
	ring->bytes = mem_resize(NULL, 1, capacity);
	ring->capacity = capacity;
	return ring;
}

void image_ring_free(struct image_ring *ring)
{
	pthread_mutex_destroy(&ring->mutex);
	pthread_cond_destroy(&ring->filled);
	pthread_cond_destroy(&ring->drained);
	free(ring->bytes);
	free(ring);
}

static size_t wake_bytes(const struct image_ring *ring)
{
	return ring->capacity / 4 < WAKE_BYTES ? ring->capacity / 4 : WAKE_BYTES;
}

/* Copies in what there is room for; the lock is held. */
static size_t put(struct image_ring *ring, const char *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && ring->used < ring->capacity) {
		size_t end = (ring->start + ring->used) % ring->capacity;
		size_t room = ring->capacity - ring->used;
		size_t part = ring->capacity - end;
		if (part > room)
			part = room;
		if (part > length - taken)
			part = length - taken;
		memcpy(ring->bytes + end, bytes + taken, part);
		ring->used += part;
		taken += part;
	}
	if (ring->used - ring->borrowed >= wake_bytes(ring))
		pthread_cond_signal(&ring->filled);
	return taken;
}

int image_ring_write(struct image_ring *ring, const void *bytes, size_t length)
{
	const char *at = bytes;

	pthread_mutex_lock(&ring->mutex);
	while (length && !ring->left) {
		size_t taken = put(ring, at, length);
		at += taken;
		length -= taken;
		if (length && !ring->left)
			pthread_cond_wait(&ring->drained, &ring->mutex);
	}
	bool left = ring->left;
	pthread_mutex_unlock(&ring->mutex);
	return left ? -EPIPE : 0;
}

ssize_t image_ring_try_write(struct image_ring *ring, const void *bytes, size_t length)
{
	pthread_mutex_lock(&ring->mutex);
	ssize_t taken = ring->left ? -EPIPE : (ssize_t)put(ring, bytes, length);
	pthread_mutex_unlock(&ring->mutex);
	return taken;
}

void image_ring_finish(struct image_ring *ring, const struct err *e)
{
	pthread_mutex_lock(&ring->mutex);
	ring->finished = true;
	if (e) {
		ring->failed = true;
		ring->error = *e;
	}
	pthread_cond_signal(&ring->filled);
	pthread_mutex_unlock(&ring->mutex);
}

/* Gives back what the reader has finished with; the lock is held. */
static void release(struct image_ring *ring)
{
	if (!ring->borrowed)
		return;
	ring->start = (ring->start + ring->borrowed) % ring->capacity;
	ring->used -= ring->borrowed;
	ring->borrowed = 0;
	pthread_cond_signal(&ring->drained);
}

static ssize_t ring_next(void *context, const void **block, struct err *e)
{
	struct image_ring *ring = context;
	ssize_t got;

	pthread_mutex_lock(&ring->mutex);
	release(ring);
	while (ring->used < wake_bytes(ring) && !ring->finished)
		pthread_cond_wait(&ring->filled, &ring->mutex);
	size_t part = ring->capacity - ring->start;
	ring->borrowed = ring->used < part ? ring->used : part;
	*block = ring->bytes + ring->start;
	got = (ssize_t)ring->borrowed;
	if (!got && ring->failed) {
		*e = ring->error;
		got = -e->number;
	}
	pthread_mutex_unlock(&ring->mutex);
	return got;
}

struct byte_source image_ring_source(struct image_ring *ring)
{
	return (struct byte_source){ ring_next, ring };
}

void image_ring_leave(struct image_ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	ring->left = true;
	pthread_cond_signal(&ring->drained);
	pthread_mutex_unlock(&ring->mutex);
}
