/* layers.c - for each layer in flight there are three threads, joined by rings: this module's
 * worker takes bytes from the network, hashes and stores them; image_layer_unpack() inflates and
 * hashes in one, and writes files in the other. So extraction begins with the first bytes, and
 * no stage runs away from the next. A layer gets its name only when both digests are right: the
 * ring is closed well only after the blob was committed. */
#include "image/layers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/http.h"
#include "image/layer.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/ring.h"
#include "storage/blob.h"
#include "storage/layer.h"
#include "storage/store.h"

enum {
	PACKED_RING = 1 << 20,
	FILE_BLOCK = 256 << 10,
};

struct job {
	const struct oci_descriptor *descriptor;
	const char *diff_id;
};

/* What the workers share. */
struct fetch {
	const struct store *store;
	struct image_registry *registry;
	struct image_report *report;
	struct job *jobs;
	size_t count;
	pthread_mutex_t lock;
	size_t next;        /* job */
	atomic_bool failed; /* e is filled; everybody stops */
	struct err e;
};

/* One layer on its way. */
struct stream {
	struct fetch *fetch;
	const struct job *job;
	struct blob_writer *writer;
	struct image_ring *ring; /* NULL: nothing unpacks while it comes */
	int64_t done;
	bool unread; /* the reader left: what comes is only stored */
	int unpacked;
	struct err unpack_err;
};

static void report_state(const struct fetch *f, const struct job *job,
			 enum image_progress_state state, int64_t done, const char *why)
{
	struct image_progress progress = { .kind = IMAGE_PROGRESS_LAYER,
					   .state = state,
					   .done = done,
					   .total = job->descriptor->size };

	snprintf(progress.digest, sizeof(progress.digest), "%s", job->descriptor->digest);
	snprintf(progress.text, sizeof(progress.text), "%s", why ? why : "");
	image_report_layer(f->report, &progress);
}

static int take_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	struct stream *s = context;

	if (s->fetch->failed)
		return err_set(e, ERR_INTERNAL, "another layer failed");
	int r = storage_blob_write(s->writer, bytes, length, e);
	if (r < 0)
		return r;
	/* -EPIPE: it failed, and the bytes are for nothing; or the layer is there by now, and they
	 * are for the blob alone. Which of the two is known when it has been waited for. */
	if (s->ring && !s->unread && image_ring_write(s->ring, bytes, length) < 0) {
		s->unread = true;
		if (s->unpacked < 0)
			return err_set(e, ERR_INTERNAL, "unpacking failed");
	}
	s->done += (int64_t)length;
	report_state(s->fetch, s->job, IMAGE_STATE_DOWNLOADING, s->done, NULL);
	return 0;
}

static void say_retry(void *context, const struct err *e)
{
	struct stream *s = context;

	report_state(s->fetch, s->job, IMAGE_STATE_RETRYING, s->done, e->text);
}

static void *unpack(void *context)
{
	struct stream *s = context;
	struct byte_source packed = image_ring_source(s->ring);
	struct image_layer_limits limits = { 0 };

	s->unpacked = image_layer_unpack(s->fetch->store, s->job->diff_id, &packed, &limits, true,
					 &s->unpack_err);
	image_ring_leave(s->ring);
	return NULL;
}

static int download(struct stream *s, struct image_http *http, struct err *e)
{
	struct image_blob_sink sink = { { take_bytes, s }, say_retry, s };

	s->done = storage_blob_offset(s->writer);
	int r = image_registry_blob(s->fetch->registry, http, s->job->descriptor, s->done, &sink,
				    e);
	if (r < 0) {
		if (e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT)
			storage_blob_keep(s->writer);
		return r;
	}
	report_state(s->fetch, s->job, IMAGE_STATE_UNPACKING, s->done, NULL);
	return storage_blob_commit(s->writer, NULL, NULL, e);
}

static int download_and_unpack(struct stream *s, struct image_http *http, struct err *e)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(PACKED_RING);
	pthread_t thread;

	s->ring = ring;
	int r = pthread_create(&thread, NULL, unpack, s);
	if (r)
		return err_number(e, r, "start a thread");
	r = download(s, http, e);
	image_ring_finish(ring, r < 0 ? e : NULL);
	pthread_join(thread, NULL);
	/* When unpacking has failed the download was cut off for it. */
	if (s->unpacked < 0 && (r == 0 || s->unread)) {
		*e = s->unpack_err;
		return s->unpacked;
	}
	return r;
}

struct file_source {
	int fd;
	char *block;
};

static ssize_t next_of_file(void *context, const void **block, struct err *e)
{
	struct file_source *file = context;
	ssize_t n;

	do
		n = read(file->fd, file->block, FILE_BLOCK);
	while (n < 0 && errno == EINTR);
	*block = file->block;
	return n < 0 ? err_sys(e, "read a blob") : n;
}

/* The blob is here: of another image with the same layer, of a pull that was killed between the
 * two, or resumed, in which case its beginning did not pass through this process. */
static int unpack_stored(const struct fetch *f, const struct job *job, struct err *e)
{
	own_fd int fd = storage_blob_open(f->store, job->descriptor->digest, NULL, e);

	if (fd < 0)
		return fd;
	own_free char *block = mem_new(1, FILE_BLOCK);
	struct file_source file = { fd, block };
	struct byte_source packed = { next_of_file, &file };
	struct image_layer_limits limits = { 0 };
	report_state(f, job, IMAGE_STATE_UNPACKING, job->descriptor->size, NULL);
	return image_layer_unpack(f->store, job->diff_id, &packed, &limits, true, e);
}

static int bring(struct fetch *f, const struct job *job, struct image_http *http, struct err *e)
{
	const struct oci_descriptor *d = job->descriptor;
	own(storage_blob_end) struct blob_writer *writer = NULL;
	int r = storage_blob_begin(&writer, f->store, d->digest, d->size, d->size, true, e);

	if (r < 0)
		return r;
	if (r == 1)
		return unpack_stored(f, job, e);

	struct stream s = { .fetch = f, .job = job, .writer = writer };
	report_state(f, job, IMAGE_STATE_DOWNLOADING, storage_blob_offset(writer), NULL);
	if (storage_blob_offset(writer) == 0)
		return download_and_unpack(&s, http, e);
	r = download(&s, http, e);
	return r < 0 ? r : unpack_stored(f, job, e);
}

static int do_job(struct fetch *f, const struct job *job, struct image_http *http, struct err *e)
{
	if (storage_layer_exists(f->store, job->diff_id)) {
		report_state(f, job, IMAGE_STATE_EXISTS, job->descriptor->size, NULL);
		return 0;
	}
	int r = bring(f, job, http, e);
	if (r < 0)
		return err_add(e, "layer %.19s", job->descriptor->digest);
	report_state(f, job, IMAGE_STATE_DONE, job->descriptor->size, NULL);
	return 0;
}

static const struct job *next_job(struct fetch *f)
{
	const struct job *job = NULL;

	pthread_mutex_lock(&f->lock);
	if (!f->failed && f->next < f->count)
		job = &f->jobs[f->next++];
	pthread_mutex_unlock(&f->lock);
	return job;
}

static void fail(struct fetch *f, const struct err *e)
{
	pthread_mutex_lock(&f->lock);
	if (!f->failed)
		f->e = *e;
	f->failed = true;
	pthread_mutex_unlock(&f->lock);
}

static void *work(void *context)
{
	struct fetch *f = context;
	own(image_http_free) struct image_http *http = image_registry_connect(f->registry);
	const struct job *job;

	while ((job = next_job(f))) {
		struct err e;
		if (do_job(f, job, http, &e) < 0)
			fail(f, &e);
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = ((const struct job *)a)->descriptor->size;
	int64_t right = ((const struct job *)b)->descriptor->size;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* A layer that is there twice is fetched once. */
static void add_job(struct fetch *f, const struct oci_descriptor *descriptor, const char *diff_id)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_equal(f->jobs[i].diff_id, diff_id))
			return;
	f->jobs[f->count++] = (struct job){ descriptor, diff_id };
	report_state(f, &f->jobs[f->count - 1], IMAGE_STATE_WAITING, 0, NULL);
}

static int run_workers(struct fetch *f, struct err *e)
{
	pthread_t threads[IMAGE_LAYERS_AT_ONCE];
	size_t wanted = f->count < IMAGE_LAYERS_AT_ONCE ? f->count : IMAGE_LAYERS_AT_ONCE;
	size_t started = 0;
	int r = 0;

	while (started < wanted && r == 0) {
		r = pthread_create(&threads[started], NULL, work, f);
		started += r == 0;
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (f->failed) {
		*e = f->e;
		return -(e->number ? e->number : EIO);
	}
	return started || !wanted ? 0 : err_number(e, r, "start a thread");
}

int image_layers_fetch(const struct store *store, struct image_registry *registry,
		       const struct oci_manifest *manifest, const struct oci_image_config *config,
		       struct image_report *report, struct err *e)
{
	struct fetch f = { .store = store, .registry = registry, .report = report };

	f.jobs = mem_new(manifest->layers.count + 1, sizeof(struct job));
	for (size_t i = 0; i < manifest->layers.count; i++)
		add_job(&f, &manifest->layers.items[i], config->rootfs.diff_ids.items[i]);
	qsort(f.jobs, f.count, sizeof(struct job), by_size);
	pthread_mutex_init(&f.lock, NULL);
	int r = run_workers(&f, e);
	pthread_mutex_destroy(&f.lock);
	free(f.jobs);
	return r;
}
