#include "image/copy_source.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/allow.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/load.h"
#include "image/load_format.h"
#include "image/report.h"
#include "storage/blob.h"
#include "storage/hash.h"

/* ---- before the jail ---- */

static int find_places(struct image_copy_source *to, struct err *e)
{
	own(image_registries_free) struct image_registries *registries = NULL;
	own_clear(image_registries_clear_endpoints) struct image_endpoints endpoints = { 0 };
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, to->named.name, e);

	if (r == 0)
		r = image_registries_load(&registries, e);
	if (r == 0)
		r = image_registries_endpoints(registries, &ref, &endpoints, e);
	for (size_t i = 0; r == 0 && i < endpoints.items.count; i++) {
		struct image_place *place = shape_list_add(&to->places);
		r = image_place_find(place, &ref, &endpoints.items.items[i],
				     &to->invocation->access, e);
		if (r == 0)
			r = image_allow_registry(&place->allow, &ref, e);
	}
	return r;
}

int image_copy_source_find(struct image_copy_source *to, const struct image_invocation *invocation,
			   const char *text, struct err *e)
{
	static const char *const transports[] = {
		[IMAGE_FROM_OCI] = "oci",
		[IMAGE_FROM_OCI_ARCHIVE] = "oci-archive",
		[IMAGE_FROM_DIR] = "dir",
	};
	int r = image_source_parse(&to->named, text, e);

	to->invocation = invocation;
	pthread_mutex_init(&to->lock, NULL);
	if (r < 0)
		return r;
	switch (to->named.transport) {
	case IMAGE_FROM_REGISTRY:
		return find_places(to, e);
	case IMAGE_FROM_OCI:
	case IMAGE_FROM_OCI_ARCHIVE:
	case IMAGE_FROM_DIR:
		return image_allow_path(transports[to->named.transport], to->named.path,
					to->named.name, e);
	default:
		err_set(e, ERR_UNSUPPORTED, "%s: nothing is copied from there", text);
		return err_hint(e, "from a registry, oci:, oci-archive: or dir:; "
				   "else holm load, and holm push");
	}
}

void image_copy_source_clear(struct image_copy_source *source)
{
	for (size_t i = 0; i < source->places.count; i++)
		image_place_clear(&source->places.items[i]);
	free(source->places.items);
	image_source_clear(&source->named);
	if (source->registry)
		image_registry_free(source->registry);
	if (source->members)
		image_members_free(source->members);
	pthread_mutex_destroy(&source->lock);
}

/* ---- documents of a registry ---- */

/* The first place that has it. */
static int root_of_registry(struct image_copy_source *source, struct image_document *ret,
			    struct err *e)
{
	int r = err_set(e, ERR_NOT_FOUND, "registries.conf knows no place for it");

	for (size_t i = 0; i < source->places.count; i++) {
		source->place = &source->places.items[i];
		if (source->registry)
			image_registry_free(source->registry);
		source->registry = image_place_registry(source->place);
		own(image_http_free) struct image_http *http =
			image_registry_connect(source->registry);
		const struct image_reference *ref = &source->place->ref;
		r = image_registry_manifest(source->registry, http,
					    ref->digest ? ref->digest : ref->tag, ret, e);
		if (r == 0)
			return 0;
		image_document_clear(ret);
		*ret = (struct image_document){ 0 };
	}
	return r;
}

/* ---- and of files ---- */

static char *name_of(const struct image_copy_source *source, const char *digest, const char *ending)
{
	bool layout = source->named.transport != IMAGE_FROM_DIR;

	return layout ? mem_format("blobs/sha256/%s", oci_digest_hex(digest))
		      : mem_format("%s%s", oci_digest_hex(digest), ending);
}

static int read_member(struct image_copy_source *source, const char *name,
		       struct image_document *ret, struct err *e)
{
	int r = image_members_read(source->members, name, OCI_IMAGE_MANIFEST_MAX, &ret->text, e);

	if (r == 0)
		storage_hash_bytes(ret->text.text ? ret->text.text : "", ret->text.length,
				   ret->digest);
	return r;
}

static bool is_named(const struct image_copy_source *source, const struct oci_descriptor *d)
{
	static const char *const keys[] = { OCI_ANNOTATION_CONTAINERD_NAME,
					    OCI_ANNOTATION_REF_NAME };
	const struct image_load load = { .name = source->named.name };

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (image_load_wanted(&load, shape_map_get(&d->annotations, keys[i])))
			return true;
	return false;
}

/* The one of this name; without a name there has to be one alone. */
static int root_of_layout(struct image_copy_source *source, struct image_document *ret,
			  struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	const struct oci_descriptor *found = NULL;

	int r = image_members_read(source->members, "index.json", OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = oci_index_parse(&index, text.text ? text.text : "", text.length, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.manifests.count; i++) {
		if (!is_named(source, &index.manifests.items[i]))
			continue;
		if (found && !source->named.name) {
			err_set(e, ERR_INVALID, "%s has more than one image", source->named.path);
			return err_hint(e, "say which: oci:DIR:NAME");
		}
		found = &index.manifests.items[i];
	}
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "%s has no image '%s'", source->named.path,
			       source->named.name ? source->named.name : "");
	return image_copy_source_document(source, found, ret, e);
}

/* ---- both ---- */

int image_copy_source_root(struct image_copy_source *source, struct image_document *ret,
			   struct err *e)
{
	if (source->named.transport == IMAGE_FROM_REGISTRY)
		return root_of_registry(source, ret, e);
	const struct image_load load = { .store = source->invocation->store,
					 .path = source->named.path };
	int r = image_load_open(&load, &source->members, e);
	if (r < 0)
		return r;
	return source->named.transport == IMAGE_FROM_DIR
		       ? read_member(source, "manifest.json", ret, e)
		       : root_of_layout(source, ret, e);
}

int image_copy_source_document(struct image_copy_source *source, const struct oci_descriptor *d,
			       struct image_document *ret, struct err *e)
{
	own_free char *name = name_of(source, d->digest, ".manifest.json");
	own(image_http_free) struct image_http *http =
		source->registry ? image_registry_connect(source->registry) : NULL;

	int r = source->registry
			? image_registry_manifest(source->registry, http, d->digest, ret, e)
			: read_member(source, name, ret, e);
	if (r < 0)
		return err_add(e, "manifest %.19s", d->digest);
	if (!ret->media_type)
		ret->media_type = mem_text(d->media_type);
	if ((int64_t)ret->text.length != d->size || !str_equal(ret->digest, d->digest))
		return err_set(e, ERR_CORRUPT, "manifest %.19s: %zu bytes that are %.19s",
			       d->digest, ret->text.length, ret->digest);
	return 0;
}

int image_copy_source_allow(const struct image_copy_source *source, const char *digest,
			    struct err *e)
{
	return source->place ? image_allow_check(source->place->allow, digest, e) : 0;
}

/* ---- blobs ---- */

struct stream {
	const struct image_copy_source *source;
	const struct oci_descriptor *descriptor;
	const atomic_bool *cancelled;
	struct blob_writer *writer;
};

static void report(const struct stream *s, enum image_progress_state state, const char *why)
{
	image_report_layer(s->source->invocation->report, s->descriptor, state,
			   storage_blob_offset(s->writer), why);
}

static int take_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	const struct stream *s = context;

	if (*s->cancelled)
		return err_set(e, ERR_INTERNAL, "another layer failed");
	int r = storage_blob_write(s->writer, bytes, length, e);
	if (r == 0)
		report(s, IMAGE_STATE_DOWNLOADING, NULL);
	return r;
}

static void say_retry(void *context, const struct err *e)
{
	report(context, IMAGE_STATE_RETRYING, e->text);
}

/* *resumed: an earlier try had left something. */
static int download(struct image_copy_source *source, const struct oci_descriptor *d,
		    const atomic_bool *cancelled, bool *resumed, struct err *e)
{
	own(storage_blob_end) struct blob_writer *writer = NULL;
	own(image_http_free) struct image_http *http = image_registry_connect(source->registry);

	int r = storage_blob_begin(&writer, source->invocation->store, d->digest, d->size, d->size,
				   true, e);
	if (r != 0)
		return r < 0 ? r : 0;
	struct stream s = { source, d, cancelled, writer };
	struct image_blob_sink sink = { { take_bytes, &s }, say_retry, &s };
	int64_t from = storage_blob_offset(writer);
	*resumed = from > 0;
	r = image_registry_blob(source->registry, http, d, from, &sink, e);
	if (r < 0 && (e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT))
		storage_blob_keep(writer);
	return r < 0 ? r : storage_blob_commit(writer, NULL, NULL, e);
}

int image_copy_source_bring(struct image_copy_source *source, const struct oci_descriptor *d,
			    const atomic_bool *cancelled, struct err *e)
{
	bool resumed = false;
	int r;

	if (storage_blob_exists(source->invocation->store, d->digest, d->size))
		return 0;
	if (source->registry) {
		r = download(source, d, cancelled, &resumed, e);
		/* what was left may be damaged; it is gone now */
		if (r < 0 && resumed && e->kind == ERR_CORRUPT)
			r = download(source, d, cancelled, &resumed, e);
		return r;
	}
	own_free char *name = name_of(source, d->digest, "");
	pthread_mutex_lock(&source->lock);
	r = image_members_store(source->members, name, d->digest, d->size, NULL, NULL, e);
	pthread_mutex_unlock(&source->lock);
	return r;
}
