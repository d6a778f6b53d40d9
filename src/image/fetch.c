/* fetch.c - for each layer in flight there are three threads, joined by rings: the caller's takes
 * bytes from the network or an archive, hashes and stores them; image_layer_unpack() inflates and
 * hashes in one, and writes files in the other. So extraction begins with the first bytes, also
 * where those come from what an earlier try left on disk, and no stage runs away from the next. A
 * layer gets its name only when both digests are right: the ring is closed well only after the blob
 * was committed. */
#include "image/fetch.h"

#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/layer.h"
#include "image/members.h"
#include "image/read.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/ring.h"
#include "oci/image.h"
#include "storage/blob.h"

enum {
	PACKED_RING = 1 << 20,
	PARTIAL_BLOCK = 256 << 10,
};

/* One layer on its way. */
struct stream {
	const struct image_fetch *fetch;
	struct blob_writer *writer;
	struct image_ring *ring;
	int64_t done;
	bool unread; /* the reader left: what comes is only stored */
	int unpacked;
	struct err unpack_err;
};

static void report_state(const struct stream *s, enum image_progress_state state, const char *why)
{
	image_report_layer(s->fetch->report, s->fetch->descriptor, state, s->done, why);
}

static enum image_progress_state coming(const struct stream *s)
{
	return s->fetch->members ? IMAGE_STATE_UNPACKING : IMAGE_STATE_DOWNLOADING;
}

/* What cannot be unpacked is not downloaded either. A file is read to its end: that its digest is
 * wrong says more. */
static bool cut_off(const struct stream *s)
{
	return !s->fetch->members;
}

/* -EPIPE of the ring: unpacking failed, and the bytes are for nothing; or the layer is there by
 * now, and they are for the blob alone. Which of the two is known when it has been waited for. */
static int hand_on(struct stream *s, const void *bytes, size_t length, struct err *e)
{
	if (*s->fetch->cancelled)
		return err_set(e, ERR_INTERNAL, "another layer failed");
	if (s->unread || image_ring_write(s->ring, bytes, length) == 0)
		return 0;
	s->unread = true;
	return s->unpacked < 0 && cut_off(s) ? err_set(e, ERR_INTERNAL, "unpacking failed") : 0;
}

static int take_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	struct stream *s = context;

	int r = storage_blob_write(s->writer, bytes, length, e);
	if (r == 0)
		r = hand_on(s, bytes, length, e);
	if (r < 0)
		return r;
	s->done += (int64_t)length;
	report_state(s, coming(s), NULL);
	return 0;
}

static void say_retry(void *context, const struct err *e)
{
	report_state(context, IMAGE_STATE_RETRYING, e->text);
}

static void *unpack(void *context)
{
	struct stream *s = context;
	struct byte_source packed = image_ring_source(s->ring);

	s->unpacked = image_layer_unpack(s->fetch->store, s->fetch->diff_id, &packed,
					 s->fetch->descriptor->digest, &s->unpack_err);
	image_ring_leave(s->ring);
	return NULL;
}

/* What an earlier try left: already stored and hashed, not yet unpacked. */
static int hand_on_partial(struct stream *s, struct err *e)
{
	int64_t end = storage_blob_offset(s->writer);
	own_free char *block = mem_new(1, PARTIAL_BLOCK);

	report_state(s, coming(s), NULL);
	while (s->done < end) {
		ssize_t n = storage_blob_reread(s->writer, block, PARTIAL_BLOCK, s->done, e);
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "a partial blob became shorter");
		int r = n < 0 ? (int)n : hand_on(s, block, (size_t)n, e);
		if (r < 0)
			return r;
		s->done += n;
	}
	return 0;
}

static int download(struct stream *s, struct err *e)
{
	const struct image_fetch *f = s->fetch;
	struct image_blob_sink sink = { { take_bytes, s }, say_retry, s };

	int r = image_registry_blob(f->registry, f->http, f->descriptor, s->done, &sink, e);
	if (r < 0 && (e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT))
		storage_blob_keep(s->writer);
	return r;
}

static int read_member(struct stream *s, struct err *e)
{
	const struct oci_descriptor *d = s->fetch->descriptor;
	const void *block;
	int64_t from;
	ssize_t n;

	own_fd int fd = image_members_open(s->fetch->members, d->digest, &from, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_range(fd, from + s->done, d->size - s->done, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	while ((n = source.next(source.context, &block, e)) > 0) {
		int r = take_bytes(s, block, (size_t)n, e);
		if (r < 0)
			return r;
	}
	return (int)n;
}

static int bring(struct stream *s, struct err *e)
{
	int r = hand_on_partial(s, e);
	if (r == 0)
		r = s->fetch->members ? read_member(s, e) : download(s, e);
	if (r < 0)
		return r;
	report_state(s, IMAGE_STATE_UNPACKING, NULL);
	return storage_blob_commit(s->writer, NULL, NULL, e);
}

static int bring_and_unpack(struct stream *s, struct err *e)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(PACKED_RING);
	pthread_t thread;

	s->ring = ring;
	int r = pthread_create(&thread, NULL, unpack, s);
	if (r)
		return err_number(e, r, "start a thread");
	r = bring(s, e);
	image_ring_finish(ring, r < 0 ? e : NULL);
	pthread_join(thread, NULL);
	if (s->unpacked < 0 && (r == 0 || (s->unread && cut_off(s)))) {
		*e = s->unpack_err;
		return s->unpacked;
	}
	return r;
}

/* *resumed: an earlier try had left something. */
static int fetch_once(const struct image_fetch *fetch, bool *resumed, struct err *e)
{
	const struct oci_descriptor *d = fetch->descriptor;
	own(storage_blob_end) struct blob_writer *writer = NULL;

	int r = storage_blob_begin(&writer, fetch->store, d->digest, d->size, d->size, true, e);
	if (r != 0)
		return r;
	struct stream s = { .fetch = fetch, .writer = writer };
	*resumed = storage_blob_offset(writer) > 0;
	return bring_and_unpack(&s, e);
}

int image_fetch_layer(const struct image_fetch *fetch, struct err *e)
{
	bool resumed = false;

	int r = fetch_once(fetch, &resumed, e);
	/* What was left may be damaged: a power cut writes zeros. It is gone now; once more. */
	if (r < 0 && resumed && e->kind == ERR_CORRUPT)
		r = fetch_once(fetch, &resumed, e);
	return r;
}
