#include "image/layers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/fetch.h"
#include "image/layer.h"
#include "image/read.h"
#include "image/report.h"
#include "image/workers.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/layer.h"

struct job {
	const struct oci_descriptor *descriptor;
	const char *diff_id;
};

/* What the workers share. */
struct work {
	const struct image_layers *layers;
	struct job *jobs; /* the largest first */
	size_t count;
	atomic_bool failed; /* one of them: everybody stops */
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
	return image_layer_unpack(w->layers->store, job->diff_id, &packed, NULL, e);
}

/* ---- one layer ---- */

static int bring(struct work *w, const struct job *job, struct image_http *http, struct err *e)
{
	const struct image_layers *layers = w->layers;
	struct image_fetch fetch = {
		.store = layers->store,
		.report = layers->report,
		.registry = layers->registry,
		.http = http,
		.members = layers->members,
		.descriptor = job->descriptor,
		.diff_id = job->diff_id,
		.cancelled = &w->failed,
	};

	int r = layers->registry || layers->members ? image_fetch_layer(&fetch, e) : 1;
	return r == 1 ? unpack_stored(w, job, e) : r;
}

static bool is_there(const struct image_layers *layers, const struct job *job)
{
	const struct oci_descriptor *blob = job->descriptor;

	return storage_layer_exists(layers->store, job->diff_id) &&
	       (!layers->whole || storage_blob_exists(layers->store, blob->digest, blob->size));
}

static int do_job(void *context, size_t i, struct image_http *http, struct err *e)
{
	struct work *w = context;
	const struct job *job = &w->jobs[i];
	enum image_progress_state end = IMAGE_STATE_EXISTS;

	if (!is_there(w->layers, job)) {
		if (bring(w, job, http, e) < 0)
			return err_add(e, "layer %.19s", job->descriptor->digest);
		end = IMAGE_STATE_DONE;
	}
	report_state(w, job, end, job->descriptor->size);
	return 0;
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

int image_layers_bring(const struct image_layers *layers, const struct oci_manifest *manifest,
		       const struct oci_image_config *config, struct err *e)
{
	struct work w = { .layers = layers };

	w.jobs = mem_new(manifest->layers.count + 1, sizeof(struct job));
	for (size_t i = 0; i < manifest->layers.count; i++)
		add_job(&w, &manifest->layers.items[i], config->rootfs.diff_ids.items[i]);
	qsort(w.jobs, w.count, sizeof(struct job), by_size);
	struct image_workers workers = { layers->registry, w.count, do_job, &w, &w.failed };
	int r = image_workers_run(&workers, e);
	free(w.jobs);
	return r;
}
