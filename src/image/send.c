#include "image/send.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/http.h"
#include "image/place.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/upload.h"
#include "image/workers.h"
#include "storage/blob.h"
#include "storage/index.h"

void image_send_clear(struct image_send *send)
{
	for (size_t i = 0; i < send->layers.count; i++)
		strv_clear(&send->layers.items[i].from);
	free(send->layers.items);
	free(send->media_type);
	storage_image_clear(&send->image);
	*send = (struct image_send){ 0 };
}

/* ---- which blobs ---- */

bool image_send_stays(const struct oci_descriptor *d)
{
	return d->media_type &&
	       (strstr(d->media_type, ".nondistributable.") || strstr(d->media_type, ".foreign."));
}

static bool has_layer(const struct image_send *send, const char *digest)
{
	for (size_t i = 0; i < send->layers.count; i++)
		if (str_equal(send->layers.items[i].descriptor->digest, digest))
			return true;
	return false;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = ((const struct image_send_blob *)a)->descriptor->size;
	int64_t right = ((const struct image_send_blob *)b)->descriptor->size;

	return left < right ? 1 : left > right ? -1 : 0;
}

int image_send_read(struct image_send *send, const struct store *store, const char *digest,
		    const char *media_type, struct err *e)
{
	int r = storage_image_read(&send->image, store, digest, e);

	if (r < 0)
		return r;
	const struct oci_manifest *manifest = &send->image.manifest;
	send->media_type = mem_text(media_type             ? media_type
				    : manifest->media_type ? manifest->media_type
							   : OCI_MEDIA_MANIFEST);
	for (size_t i = 0; i < manifest->layers.count; i++) {
		const struct oci_descriptor *d = &manifest->layers.items[i];
		if (!has_layer(send, d->digest) && !image_send_stays(d))
			shape_list_add(&send->layers)->descriptor = d;
	}
	if (send->layers.count)
		qsort(send->layers.items, send->layers.count, sizeof(*send->layers.items), by_size);
	return 0;
}

/* ---- where else they are ---- */

static void add_mounts(struct image_send *send, const struct oci_manifest *other, const char *path,
		       struct image_place *place)
{
	for (size_t i = 0; i < send->layers.count; i++) {
		struct image_send_blob *blob = &send->layers.items[i];
		for (size_t k = 0; k < other->layers.count; k++) {
			if (!str_equal(other->layers.items[k].digest, blob->descriptor->digest) ||
			    strv_contains(&blob->from, path) ||
			    blob->from.count == IMAGE_UPLOAD_MOUNTS_MAX)
				continue;
			strv_add(&blob->from, path);
			if (!strv_contains(&place->mounts_from, path))
				strv_add(&place->mounts_from, path);
		}
	}
}

void image_send_find_mounts(struct image_send *send, const struct store *store,
			    const struct storage_index *index, struct image_place *place)
{
	/* where registries.conf gives the repository another name, it may do so with the others */
	if (!str_equal(place->ref.domain, place->endpoint.host) ||
	    !str_equal(place->ref.path, place->endpoint.path))
		return;
	for (size_t i = 0; i < index->entries.count; i++) {
		own_clear(image_reference_clear) struct image_reference ref = { 0 };
		own_clear(storage_image_clear) struct storage_image other = { 0 };
		const struct storage_entry *entry = &index->entries.items[i];
		struct err ignored;
		if (!entry->reference ||
		    image_reference_parse(&ref, entry->reference, &ignored) < 0 ||
		    !str_equal(ref.domain, place->ref.domain) ||
		    str_equal(ref.path, place->ref.path) ||
		    storage_image_read(&other, store, entry->digest, &ignored) < 0)
			continue;
		add_mounts(send, &other.manifest, ref.path, place);
	}
}

/* ---- sending ---- */

struct work {
	const struct image_send *send;
	const struct store *store;
	struct image_registry *registry;
	struct image_report *report;
	atomic_bool failed;
};

struct shown {
	const struct work *work;
	const struct oci_descriptor *descriptor; /* NULL: nobody is told */
};

static void show(const struct shown *shown, enum image_progress_state state, int64_t done,
		 const char *why)
{
	if (shown->descriptor)
		image_report_layer(shown->work->report, shown->descriptor, state, done, why);
}

static void show_moved(void *context, int64_t done)
{
	show(context, IMAGE_STATE_UPLOADING, done, NULL);
}

static void show_retry(void *context, const struct err *e)
{
	show(context, IMAGE_STATE_RETRYING, 0, e->text);
}

static int send_blob(struct work *w, const struct oci_descriptor *d, const struct strv *from,
		     bool quiet, struct image_http *http, struct err *e)
{
	static const enum image_progress_state ends[] = {
		[IMAGE_UPLOAD_EXISTED] = IMAGE_STATE_EXISTS,
		[IMAGE_UPLOAD_MOUNTED] = IMAGE_STATE_MOUNTED,
		[IMAGE_UPLOAD_SENT] = IMAGE_STATE_PUSHED,
	};
	struct shown shown = { w, quiet ? NULL : d };
	const char *mounted = NULL;

	/* what is not here may be there */
	own_fd int fd = storage_blob_open(w->store, d->digest, NULL, e);
	if (fd < 0 && e->kind != ERR_NOT_FOUND)
		return fd;
	struct image_upload upload = {
		.registry = w->registry,
		.http = http,
		.descriptor = d,
		.fd = fd,
		.chunk = w->send->chunk,
		.from = from,
		.cancelled = &w->failed,
		.moved = show_moved,
		.retry = show_retry,
		.context = &shown,
	};
	int r = image_upload_blob(&upload, &mounted, e);
	if (r < 0)
		return err_add(e, "blob %.19s", d->digest);
	show(&shown, ends[r], d->size, mounted);
	return 0;
}

static int send_layer(void *context, size_t i, struct image_http *http, struct err *e)
{
	struct work *w = context;
	const struct image_send_blob *blob = &w->send->layers.items[i];

	return send_blob(w, blob->descriptor, &blob->from, false, http, e);
}

static int send_documents(struct work *w, const char *target, int64_t *size, struct err *e)
{
	const struct storage_image *image = &w->send->image;
	own_clear(str_clear) struct str text = { 0 };
	own(image_http_free) struct image_http *http = image_registry_connect(w->registry);
	int r = storage_blob_read_verified(w->store, image->digest, OCI_IMAGE_MANIFEST_MAX, &text,
					   e);

	if (r == 0)
		r = send_blob(w, &image->manifest.config, NULL, true, http, e);
	if (r == 0)
		r = image_upload_manifest(w->registry, http, target, w->send->media_type, text.text,
					  text.length, e);
	if (r == 0 && size)
		*size = (int64_t)text.length;
	return r;
}

int image_send_run(const struct image_send *send, const struct store *store,
		   struct image_registry *registry, struct image_report *report, const char *target,
		   int64_t *size, struct err *e)
{
	struct work w = { send, store, registry, report, false };
	struct image_workers workers = { registry, send->layers.count, send_layer, &w, &w.failed };

	for (size_t i = 0; i < send->layers.count; i++)
		image_report_layer(report, send->layers.items[i].descriptor, IMAGE_STATE_WAITING, 0,
				   NULL);
	int r = image_workers_run(&workers, e);
	return r < 0 ? r : send_documents(&w, target, size, e);
}
