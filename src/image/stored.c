#include "image/stored.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "image/read.h"
#include "image/report.h"
#include "storage/blob.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/store.h"

struct layer_progress {
	struct image_report *report;
	struct image_progress line;
};

static void start_progress(struct layer_progress *progress, struct image_report *report,
			   const struct oci_descriptor *layer)
{
	progress->report = report;
	progress->line = (struct image_progress){
		.kind = IMAGE_PROGRESS_LAYER,
		.state = IMAGE_STATE_UNPACKING,
		.total = layer->size,
	};
	snprintf(progress->line.digest, sizeof(progress->line.digest), "%s", layer->digest);
}

static void show_bytes(void *context, size_t bytes)
{
	struct layer_progress *progress = context;

	progress->line.done += (int64_t)bytes;
	image_report_layer(progress->report, &progress->line);
}

static void show_end(struct layer_progress *progress, enum image_progress_state state)
{
	progress->line.state = state;
	progress->line.done = progress->line.total;
	image_report_layer(progress->report, &progress->line);
}

static int unpack_layer(const struct image_stored *stored, const struct oci_descriptor *layer,
			const char *diff_id, struct err *e)
{
	struct layer_progress progress;

	start_progress(&progress, stored->report, layer);
	own_fd int fd = storage_blob_open(stored->store, layer->digest, NULL, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, show_bytes, &progress);
	struct byte_source packed = image_fd_source(bytes);
	int r = image_layer_unpack(stored->store, diff_id, &packed, stored->limits, true, e);
	if (r >= 0)
		show_end(&progress, r ? IMAGE_STATE_EXISTS : IMAGE_STATE_DONE);
	return r;
}

static int unpack_layers(const struct image_stored *stored, const struct storage_image *image,
			 struct err *e)
{
	size_t count = image->manifest.layers.count;

	for (size_t i = 0; i < count; i++) {
		const struct oci_descriptor *layer = &image->manifest.layers.items[i];
		if (unpack_layer(stored, layer, image->config.rootfs.diff_ids.items[i], e) < 0)
			return err_add(e, "layer %zu of %zu", i + 1, count);
	}
	return 0;
}

static int add_entry(const struct image_stored *stored, const struct storage_image *image,
		     const char *reference, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	int64_t size = 0;

	own_fd int fd = storage_blob_open(stored->store, image->digest, &size, e);
	if (fd < 0)
		return fd;
	int r = storage_index_read(&index, stored->store, e);
	if (r < 0)
		return r;
	const struct storage_entry *old = reference ? storage_index_find(&index, reference) : NULL;
	bool same = old && str_equal(old->digest, image->digest);
	const struct storage_entry entry = {
		.reference = (char *)reference,
		.digest = image->digest,
		.size = size,
		.media_type = image->manifest.media_type,
		.id = image->manifest.config.digest,
	};
	r = storage_index_add(stored->store, &entry, e);
	if (r == 0)
		image_report_image(stored->report, entry.id, reference,
				   same ? IMAGE_STATE_EXISTS : IMAGE_STATE_NEW);
	return r;
}

int image_stored_finish(const struct image_stored *stored, const char *digest,
			const char *reference, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = storage_image_read(&image, stored->store, digest, e);
	if (r == 0)
		r = unpack_layers(stored, &image, e);
	return r < 0 ? r : add_entry(stored, &image, reference, e);
}
