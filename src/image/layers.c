/* layers.c - workers that take one layer after the other, the largest first. */
#include "image/layers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/fetch.h"
#include "image/http.h"
#include "image/layer.h"
#include "image/read.h"
#include "image/registry.h"
#include "image/report.h"
#include "storage/blob.h"
#include "storage/layer.h"

struct job {
	const struct oci_descriptor *descriptor;
	const char *diff_id;
};

/* What the workers share. */
struct work {
	const struct image_layers *layers;
	struct job *jobs;
	size_t count;
	pthread_mutex_t lock;
	size_t next;        /* job */
	atomic_bool failed; /* e is filled; everybody stops */
	struct err e;
};

static void report_state(const struct work *w, const struct job *job,
			 enum image_progress_state state, int64_t done)
{
	image_report_layer(w->layers->report, job->descriptor, state, done, NULL);
}

/* ---- a blob that is here ---- */

struct reading {
	const struct work *work;
	const struct job *job;
	int64_t done;
};

static void show_bytes(void *context, size_t bytes)
{
	struct reading *reading = context;

	reading->done += (int64_t)bytes;
	report_state(reading->work, reading->job, IMAGE_STATE_UNPACKING, reading->done);
}

/* Of an archive; of another image with the same layer; of a pull that was killed between the
 * two. */
static int unpack_stored(const struct work *w, const struct job *job, struct err *e)
{
	struct reading reading = { w, job, 0 };

	own_fd int fd = storage_blob_open(w->layers->store, job->descriptor->digest, NULL, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, show_bytes, &reading);
	struct byte_source packed = image_fd_source(bytes);
	return image_layer_unpack(w->layers->store, job->diff_id, &packed, e);
}

/* ---- one layer ---- */

static int bring(struct work *w, const struct job *job, struct image_http *http, struct err *e)
{
	const struct image_layers *layers = w->layers;
	struct image_fetch fetch = { layers->store,   layers->report, layers->registry, http,
				     job->descriptor, job->diff_id,   &w->failed };

	int r = layers->registry ? image_fetch_layer(&fetch, e) : 1;
	return r == 1 ? unpack_stored(w, job, e) : r;
}

static int do_job(struct work *w, const struct job *job, struct image_http *http, struct err *e)
{
	enum image_progress_state end = IMAGE_STATE_EXISTS;

	if (!storage_layer_exists(w->layers->store, job->diff_id)) {
		if (bring(w, job, http, e) < 0)
			return err_add(e, "layer %.19s", job->descriptor->digest);
		end = IMAGE_STATE_DONE;
	}
	report_state(w, job, end, job->descriptor->size);
	return 0;
}

static const struct job *next_job(struct work *w)
{
	const struct job *job = NULL;

	pthread_mutex_lock(&w->lock);
	if (!w->failed && w->next < w->count)
		job = &w->jobs[w->next++];
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void fail(struct work *w, const struct err *e)
{
	pthread_mutex_lock(&w->lock);
	if (!w->failed)
		w->e = *e;
	w->failed = true;
	pthread_mutex_unlock(&w->lock);
}

static void *work(void *context)
{
	struct work *w = context;
	struct image_registry *registry = w->layers->registry;
	own(image_http_free) struct image_http *http =
		registry ? image_registry_connect(registry) : NULL;
	const struct job *job;

	while ((job = next_job(w))) {
		struct err e;
		if (do_job(w, job, http, &e) < 0)
			fail(w, &e);
	}
	return NULL;
}

/* ---- all of them ---- */

static int by_size(const void *a, const void *b)
{
	int64_t left = ((const struct job *)a)->descriptor->size;
	int64_t right = ((const struct job *)b)->descriptor->size;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* A layer that is there twice is brought once. */
static void add_job(struct work *w, const struct oci_descriptor *descriptor, const char *diff_id)
{
	for (size_t i = 0; i < w->count; i++)
		if (str_equal(w->jobs[i].diff_id, diff_id))
			return;
	w->jobs[w->count++] = (struct job){ descriptor, diff_id };
	report_state(w, &w->jobs[w->count - 1], IMAGE_STATE_WAITING, 0);
}

static int run_workers(struct work *w, struct err *e)
{
	pthread_t threads[IMAGE_LAYERS_AT_ONCE];
	size_t wanted = w->count < IMAGE_LAYERS_AT_ONCE ? w->count : IMAGE_LAYERS_AT_ONCE;
	size_t started = 0;
	int r = 0;

	while (started < wanted && r == 0) {
		r = pthread_create(&threads[started], NULL, work, w);
		started += r == 0;
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (w->failed) {
		*e = w->e;
		return -(e->number ? e->number : EIO);
	}
	return started || !wanted ? 0 : err_number(e, r, "start a thread");
}

int image_layers_bring(const struct image_layers *layers, const struct oci_manifest *manifest,
		       const struct oci_image_config *config, struct err *e)
{
	struct work w = { .layers = layers };

	w.jobs = mem_new(manifest->layers.count + 1, sizeof(struct job));
	for (size_t i = 0; i < manifest->layers.count; i++)
		add_job(&w, &manifest->layers.items[i], config->rootfs.diff_ids.items[i]);
	qsort(w.jobs, w.count, sizeof(struct job), by_size);
	pthread_mutex_init(&w.lock, NULL);
	int r = run_workers(&w, e);
	pthread_mutex_destroy(&w.lock);
	free(w.jobs);
	return r;
}
