/* ring.h - bytes from one thread to another through a bounded buffer: the stages of a pull
 * (network, inflate, extract) run at the same time and none runs away from the next. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "base/own.h"
#include "storage/unpack.h"

struct err;
struct image_ring;

struct image_ring *image_ring_new(size_t capacity);
void image_ring_free(struct image_ring *ring);
OWN_DEFINE(image_ring_free, struct image_ring *)

/* The writer's side. Waits for room; -EPIPE once the reader has left. */
int image_ring_write(struct image_ring *ring, const void *bytes, size_t length);

/* As much as there is room for, without waiting: the number of bytes taken (maybe 0), or -EPIPE. */
ssize_t image_ring_try_write(struct image_ring *ring, const void *bytes, size_t length);

/* No more will come: e NULL at the regular end, else what went wrong, for the reader to see. */
void image_ring_finish(struct image_ring *ring, const struct err *e);

/* The reader's side: waits for bytes; the source ends, or fails with the writer's error. */
struct byte_source image_ring_source(struct image_ring *ring);

/* The reader leaves: writers get -EPIPE from now on. */
void image_ring_leave(struct image_ring *ring);
