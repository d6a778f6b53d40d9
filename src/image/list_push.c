#include "image/list_push.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/place.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/send.h"
#include "image/upload.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/store.h"

/* One entry: an image of the store, or a place where it is. */
struct part {
	const struct oci_descriptor *entry;
	struct image_send send;    /* of the store, if it has a manifest */
	struct image_place source; /* else */
	bool local;
};

struct pushing {
	const struct image_invocation *invocation;
	struct image_place place;
	struct storage_index index;
	SHAPE_LIST_OF(struct part) parts;
};

static void clear_pushing(struct pushing *p)
{
	for (size_t i = 0; i < p->parts.count; i++) {
		image_send_clear(&p->parts.items[i].send);
		image_place_clear(&p->parts.items[i].source);
	}
	free(p->parts.items);
	image_place_clear(&p->place);
	storage_index_clear(&p->index);
}

/* ---- before the jail ---- */

static int add_source(struct pushing *p, struct part *part, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	const char *source = shape_map_get(&part->entry->annotations, STORAGE_LIST_SOURCE);

	if (!source) {
		err_set(e, ERR_NOT_FOUND, "%.19s is not in the store any more",
			part->entry->digest);
		return err_hint(e, "pull or load it again, or remove it from the list");
	}
	int r = image_reference_parse(&ref, source, e);
	if (r < 0)
		return r;
	if (!str_equal(ref.domain, p->place.ref.domain)) {
		err_set(e, ERR_UNSUPPORTED, "%s is on another registry than %s", source,
			p->place.ref.domain);
		return err_hint(e, "pull it first, and add it again");
	}
	if (!strv_contains(&p->place.mounts_from, ref.path))
		strv_add(&p->place.mounts_from, ref.path);
	return image_place_find_primary(&part->source, &ref, &p->invocation->access, e);
}

static int add_part(struct pushing *p, const struct oci_descriptor *entry, struct err *e)
{
	const struct store *store = p->invocation->store;
	struct part *part = shape_list_add(&p->parts);

	part->entry = entry;
	part->local = storage_blob_exists(store, entry->digest, entry->size);
	if (!part->local)
		return add_source(p, part, e);
	part->send.chunk = p->invocation->chunk;
	int r = image_send_read(&part->send, store, entry->digest, entry->media_type, e);
	if (r == 0)
		image_send_find_mounts(&part->send, store, &p->index, &p->place);
	return r;
}

static int prepare(struct pushing *p, const struct oci_index *list, const char *destination,
		   struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	const char *name = str_starts(destination, "docker://") ? destination + 9 : destination;
	int r = image_reference_parse(&ref, name, e);

	if (r == 0 && ref.digest)
		r = err_set(e, ERR_INVALID, "%s: a digest is no name to push to", name);
	if (r == 0)
		r = storage_index_read(&p->index, p->invocation->store, e);
	if (r == 0)
		r = image_place_find_primary(&p->place, &ref, &p->invocation->access, e);
	p->place.push = true;
	for (size_t i = 0; r == 0 && i < list->manifests.count; i++)
		r = add_part(p, &list->manifests.items[i], e);
	return r;
}

/* ---- in the jail ---- */

static void ignore_moved(void *context, int64_t done)
{
	(void)context;
	(void)done;
}

static void ignore_retry(void *context, const struct err *e)
{
	(void)context;
	(void)e;
}

static int mount_blob(struct image_registry *registry, struct image_http *http,
		      const struct oci_descriptor *d, const struct strv *from, struct err *e)
{
	static const atomic_bool never;
	const char *mounted;
	struct image_upload upload = {
		.registry = registry,
		.http = http,
		.descriptor = d,
		.fd = -1,
		.from = from,
		.cancelled = &never,
		.moved = ignore_moved,
		.retry = ignore_retry,
	};
	int r = image_upload_blob(&upload, &mounted, e);

	return r < 0 ? err_add(e, "blob %.19s", d->digest) : 0;
}

/* Within one registry nothing has to travel but the manifest. */
static int copy_part(struct pushing *p, const struct part *part, struct image_registry *registry,
		     struct err *e)
{
	own(image_registry_free) struct image_registry *source =
		image_place_registry(&part->source);
	own(image_http_free) struct image_http *from_http = image_registry_connect(source);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_clear(image_document_clear) struct image_document document = { 0 };
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { 0 };
	own_clear(strv_clear) struct strv from = { 0 };
	const char *digest = part->entry->digest;

	if (str_equal(part->source.ref.path, p->place.ref.path))
		return 0;
	strv_add(&from, part->source.ref.path);
	int r = image_registry_manifest(source, from_http, digest, &document, e);
	if (r == 0)
		r = oci_manifest_parse(&manifest, document.text.text, document.text.length, e);
	for (size_t i = 0; r == 0 && i < manifest.layers.count; i++)
		r = mount_blob(registry, http, &manifest.layers.items[i], &from, e);
	if (r == 0)
		r = mount_blob(registry, http, &manifest.config, &from, e);
	if (r == 0)
		r = image_upload_manifest(registry, http, digest, part->entry->media_type,
					  document.text.text, document.text.length, e);
	return r;
}

static int push_list(struct pushing *p, struct image_registry *registry,
		     const struct oci_index *list, struct err *e)
{
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_free char *name = image_reference_format(&p->place.ref);
	own_free char *text = storage_list_text(list);
	char digest[DIGEST_TEXT_SIZE];
	int r = image_upload_manifest(registry, http, p->place.ref.tag, list->media_type, text,
				      strlen(text), e);

	if (r < 0)
		return r;
	storage_hash_bytes(text, strlen(text), digest);
	image_report_pushed(p->invocation->report, digest, name, (int64_t)strlen(text));
	return 0;
}

static int push_all(struct pushing *p, struct oci_index *list, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(&p->place);
	const struct image_invocation *invocation = p->invocation;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->parts.count; i++) {
		const struct part *part = &p->parts.items[i];
		r = part->local ? image_send_run(&part->send, invocation->store, registry,
						 invocation->report, part->entry->digest, NULL, e)
				: copy_part(p, part, registry, e);
		if (r < 0)
			return err_add(e, "%.19s", part->entry->digest);
	}
	return push_list(p, registry, list, e);
}

int image_list_push(const struct image_invocation *invocation, struct oci_index *list,
		    const char *destination, struct err *e)
{
	own_clear(clear_pushing) struct pushing p = { .invocation = invocation };

	if (!list->manifests.count)
		return err_set(e, ERR_STATE, "the list is empty: nothing is pushed");
	own_fd int lock = store_lock_layers_shared(invocation->store, e);
	if (lock < 0)
		return lock;
	int r = prepare(&p, list, destination, e);
	if (r == 0)
		r = image_jail_enter(invocation->store, e);
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(e, ERR_INTERNAL, "libcurl does not start");
	return r < 0 ? r : push_all(&p, list, e);
}
