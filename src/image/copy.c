/* copy.c - the destination is asked first, and only what it lacks travels. A registry is written to
 * in the jail. Files elsewhere cannot be: there a child in the jail brings all of it into the
 * store's blobs, and this process, which reads what was verified, writes as save does. */
#include "image/copy.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/child.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/copy_source.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/report.h"
#include "image/save.h"
#include "image/send.h"
#include "image/stored.h"
#include "image/upload.h"
#include "image/workers.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/store.h"

/* Of all documents of one copy: a list of a hundred images has less than one MiB. */
enum { DOCUMENTS_MAX = 16 << 20 };

struct copied {
	struct image_document document;
	enum oci_document kind;
	struct oci_manifest manifest; /* if it is one */
};

struct copying {
	const struct image_invocation *invocation;
	struct image_copy_source source;
	struct image_source to;
	struct image_place place;                     /* if it goes to a registry */
	SHAPE_LIST_OF(struct copied) all;             /* a list after the images that it names */
	SHAPE_LIST_OF(struct oci_descriptor *) blobs; /* each digest once; borrowed */
	struct image_registry *registry;              /* of place */
	struct strv mounts; /* the repository of the source, if on place's registry */
	atomic_bool failed;
	size_t documents_length;
};

static void clear_copying(struct copying *c)
{
	for (size_t i = 0; i < c->all.count; i++) {
		image_document_clear(&c->all.items[i].document);
		oci_manifest_clear(&c->all.items[i].manifest);
	}
	free(c->all.items);
	free(c->blobs.items);
	strv_clear(&c->mounts);
	image_source_clear(&c->to);
	image_place_clear(&c->place);
	if (c->registry)
		image_registry_free(c->registry);
	image_copy_source_clear(&c->source);
}

static bool to_registry(const struct copying *c)
{
	return c->to.transport == IMAGE_FROM_REGISTRY;
}

/* ---- which documents ---- */

static const char *media_type(const struct copied *one)
{
	const char *type =
		one->manifest.media_type ? one->manifest.media_type : one->document.media_type;

	/* registries that serve files say text/plain, or nothing */
	if (oci_image_document(type) == one->kind)
		return type;
	return one->kind == OCI_DOCUMENT_INDEX ? OCI_MEDIA_INDEX : OCI_MEDIA_MANIFEST;
}

static int read_document(struct copied *one, struct err *e)
{
	const struct image_document *d = &one->document;
	const char *text = d->text.text ? d->text.text : "";
	bool known = oci_image_document(d->media_type) != OCI_DOCUMENT_UNKNOWN;

	int r = oci_image_detect(text, d->text.length, known ? d->media_type : NULL, &one->kind, e);
	if (r == 0 && one->kind == OCI_DOCUMENT_MANIFEST)
		r = oci_manifest_parse(&one->manifest, text, d->text.length, e);
	return r;
}

static int add_named(struct copying *c, const struct oci_descriptor *d, struct err *e)
{
	struct copied *one = shape_list_add(&c->all);
	int r = image_copy_source_document(&c->source, d, &one->document, e);

	if (r == 0)
		r = read_document(one, e);
	if (r < 0)
		return r;
	if (one->kind == OCI_DOCUMENT_INDEX)
		return err_set(e, ERR_UNSUPPORTED, "a list within a list");
	c->documents_length += one->document.text.length;
	if (c->documents_length > DOCUMENTS_MAX)
		return err_set(e, ERR_CORRUPT, "its manifests have more than %d MiB",
			       DOCUMENTS_MAX >> 20);
	return 0;
}

static void take(struct copying *c, struct copied *one)
{
	*(struct copied *)shape_list_add(&c->all) = *one;
	*one = (struct copied){ 0 };
}

/* All of a list, or the one for the platform. */
static int add_list(struct copying *c, struct copied *list, struct err *e)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	const struct str *text = &list->document.text;
	const char *type = media_type(list);
	int r = oci_index_parse(&index, text->text, text->length, e);

	if (r < 0)
		return r;
	if (!c->invocation->all) {
		int chosen = oci_index_choose(&index, &c->invocation->platform, e);
		return chosen < 0 ? chosen : add_named(c, &index.manifests.items[chosen], e);
	}
	if (index.media_type)
		type = index.media_type;
	mem_replace(&list->document.media_type, type);
	for (size_t i = 0; r == 0 && i < index.manifests.count; i++)
		r = add_named(c, &index.manifests.items[i], e);
	if (r < 0)
		return r;
	take(c, list);
	return 0;
}

static void clear_copied(struct copied *one)
{
	image_document_clear(&one->document);
	oci_manifest_clear(&one->manifest);
}

static int add_documents(struct copying *c, struct err *e)
{
	own_clear(clear_copied) struct copied root = { 0 };
	int r = image_copy_source_root(&c->source, &root.document, e);

	if (r == 0)
		r = read_document(&root, e);
	if (r < 0)
		return r;
	if (root.kind == OCI_DOCUMENT_INDEX)
		return add_list(c, &root, e);
	take(c, &root);
	return 0;
}

static const struct copied *last(const struct copying *c)
{
	return &c->all.items[c->all.count - 1];
}

/* ---- which blobs ---- */

static void add_blob(struct copying *c, struct oci_descriptor *d)
{
	for (size_t i = 0; i < c->blobs.count; i++)
		if (str_equal(c->blobs.items[i]->digest, d->digest))
			return;
	if (to_registry(c) && image_send_stays(d))
		return;
	*(struct oci_descriptor **)shape_list_add(&c->blobs) = d;
	image_report_layer(c->invocation->report, d, IMAGE_STATE_WAITING, 0, NULL);
}

static void add_blobs(struct copying *c)
{
	for (size_t i = 0; i < c->all.count; i++) {
		struct oci_manifest *manifest = &c->all.items[i].manifest;
		for (size_t k = 0; k < manifest->layers.count; k++)
			add_blob(c, &manifest->layers.items[k]);
		if (manifest->config.digest)
			add_blob(c, &manifest->config);
	}
}

/* ---- one blob ---- */

struct travel {
	struct copying *copying;
	const struct oci_descriptor *descriptor;
};

static void show(const struct travel *t, enum image_progress_state state, int64_t done,
		 const char *why)
{
	image_report_layer(t->copying->invocation->report, t->descriptor, state, done, why);
}

static void show_moved(void *context, int64_t done)
{
	show(context, IMAGE_STATE_UPLOADING, done, NULL);
}

static void show_retry(void *context, const struct err *e)
{
	show(context, IMAGE_STATE_RETRYING, 0, e->text);
}

static int bring(void *context, struct err *e)
{
	const struct travel *t = context;
	struct copying *c = t->copying;
	int r = image_copy_source_bring(&c->source, t->descriptor, &c->failed, e);

	return r < 0 ? r : storage_blob_open(c->invocation->store, t->descriptor->digest, NULL, e);
}

static int send_blob(struct travel *t, struct image_http *http, struct err *e)
{
	static const enum image_progress_state ends[] = {
		[IMAGE_UPLOAD_EXISTED] = IMAGE_STATE_EXISTS,
		[IMAGE_UPLOAD_MOUNTED] = IMAGE_STATE_MOUNTED,
		[IMAGE_UPLOAD_SENT] = IMAGE_STATE_PUSHED,
	};
	const char *mounted = NULL;
	struct image_upload upload = {
		.registry = t->copying->registry,
		.http = http,
		.descriptor = t->descriptor,
		.fd = -1,
		.bring = bring,
		.from = &t->copying->mounts,
		.cancelled = &t->copying->failed,
		.moved = show_moved,
		.retry = show_retry,
		.context = t,
	};
	int r = image_upload_blob(&upload, &mounted, e);

	if (r < 0)
		return r;
	show(t, ends[r], t->descriptor->size, mounted);
	return 0;
}

static int keep(struct travel *t, struct err *e)
{
	own_fd int fd = bring(t, e);

	if (fd < 0)
		return fd;
	show(t, IMAGE_STATE_DONE, t->descriptor->size, NULL);
	return 0;
}

static int do_blob(void *context, size_t i, struct image_http *http, struct err *e)
{
	struct copying *c = context;
	struct travel t = { c, c->blobs.items[i] };
	int r = c->registry ? send_blob(&t, http, e) : keep(&t, e);

	return r < 0 ? err_add(e, "blob %.19s", t.descriptor->digest) : 0;
}

/* ---- the whole, in the jail ---- */

static int bring_all(struct copying *c, struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	int r = add_documents(c, e);
	if (r == 0)
		r = image_copy_source_allow(&c->source, last(c)->document.digest, e);
	if (r < 0)
		return err_add(e, "%s", c->invocation->operands[0]);
	const struct image_place *from = c->source.place;
	if (from && to_registry(c) && str_equal(from->endpoint.host, c->place.endpoint.host) &&
	    !str_equal(from->endpoint.path, c->place.endpoint.path)) {
		strv_add(&c->mounts, from->endpoint.path);
		strv_add(&c->place.mounts_from, from->endpoint.path);
	}
	if (to_registry(c))
		c->registry = image_place_registry(&c->place);
	add_blobs(c);
	struct image_workers workers = { c->registry, c->blobs.count, do_blob, c, &c->failed };
	return image_workers_run(&workers, e);
}

/* The one that has the name comes last. */
static int send_documents(struct copying *c, struct err *e)
{
	own(image_http_free) struct image_http *http = image_registry_connect(c->registry);
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->all.count; i++) {
		const struct copied *one = &c->all.items[i];
		const char *target = one == last(c) ? c->place.ref.tag : one->document.digest;
		r = image_upload_manifest(c->registry, http, target, media_type(one),
					  one->document.text.text, one->document.text.length, e);
	}
	return r;
}

static int copy_to_registry(struct copying *c, struct err *e)
{
	int r = image_jail_enter(c->invocation->store, e);

	if (r == 0)
		r = bring_all(c, e);
	if (r == 0)
		r = send_documents(c, e);
	if (r < 0)
		return r;
	own_free char *name = image_reference_format(&c->place.ref);
	image_report_pushed(c->invocation->report, last(c)->document.digest, name,
			    (int64_t)last(c)->document.text.length);
	return 0;
}

/* ---- to files ---- */

/* In the child: everything into the store. The descriptor is that of the last document. */
static int bring_in_child(void *context, int *fds, struct err *e)
{
	struct copying *c = context;
	const struct store *store = c->invocation->store;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* for nobody it need not go on */
	int r = image_jail_enter(store, e);
	if (r == 0)
		r = bring_all(c, e);
	for (size_t i = 0; r == 0 && i < c->all.count; i++) {
		const struct str *text = &c->all.items[i].document.text;
		r = storage_blob_put(store, text->text, text->length, NULL, e);
	}
	if (r < 0)
		return r;
	fds[0] = storage_blob_open(store, last(c)->document.digest, NULL, e);
	return fds[0] < 0 ? fds[0] : 0;
}

static int save_document(struct copying *c, const struct image_save *how, int fd, struct err *e)
{
	struct image_save save = *how;
	own_clear(clear_copied) struct copied one = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	char *name = digest;
	int r = fd_read_all(fd, OCI_IMAGE_MANIFEST_MAX, &one.document.text, e);

	if (r == 0)
		r = read_document(&one, e);
	if (r < 0)
		return r;
	storage_hash_bytes(one.document.text.text, one.document.text.length, digest);
	save.names = &name;
	save.count = 1;
	save.list = one.kind == OCI_DOCUMENT_INDEX;
	r = image_save(&save, e);
	if (r == 0)
		image_report_pushed(c->invocation->report, digest, c->invocation->operands[1],
				    (int64_t)one.document.text.length);
	return r;
}

static int copy_to_files(struct copying *c, struct err *e)
{
	struct image_save save = {
		.store = c->invocation->store,
		.format = c->to.transport == IMAGE_FROM_OCI           ? IMAGE_SAVE_OCI_FOLDER
			  : c->to.transport == IMAGE_FROM_OCI_ARCHIVE ? IMAGE_SAVE_OCI_ARCHIVE
								      : IMAGE_SAVE_FOLDER,
		.path = c->to.path,
		.as = c->to.name,
		.platform = &c->invocation->platform,
	};
	int fd;

	int r = image_save_check(&save, e);
	if (r == 0)
		r = child_open(&fd, 1, bring_in_child, c, e);
	if (r < 0)
		return r;
	own_fd int document = fd;
	return save_document(c, &save, document, e);
}

/* ---- the verb ---- */

static int find_place(struct copying *c, const char *text, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, c->to.name, e);

	if (r == 0 && ref.digest)
		r = err_set(e, ERR_INVALID, "%s: a digest is no name to copy to", text);
	if (r == 0)
		r = image_place_find_primary(&c->place, &ref, &c->invocation->access, e);
	c->place.push = true;
	return r;
}

static int find_destination(struct copying *c, const char *text, struct err *e)
{
	int r = image_source_parse(&c->to, text, e);

	if (r < 0)
		return r;
	switch (c->to.transport) {
	case IMAGE_FROM_REGISTRY:
		return find_place(c, text, e);
	case IMAGE_FROM_OCI:
	case IMAGE_FROM_OCI_ARCHIVE:
	case IMAGE_FROM_DIR:
		return 0;
	default:
		err_set(e, ERR_UNSUPPORTED, "%s: nothing is copied there", text);
		return err_hint(e, "to a registry, oci:, oci-archive: or dir:");
	}
}

static int copy(const struct image_invocation *invocation, struct err *e)
{
	own_clear(clear_copying) struct copying c = { .invocation = invocation };

	int r = image_copy_source_find(&c.source, invocation, invocation->operands[0], e);
	if (r == 0)
		r = find_destination(&c, invocation->operands[1], e);
	if (r < 0)
		return r;
	/* what has been brought must not be collected meanwhile */
	own_fd int lock = store_lock_layers_shared(invocation->store, e);
	if (lock < 0)
		return lock;
	return to_registry(&c) ? copy_to_registry(&c, e) : copy_to_files(&c, e);
}

int image_copy_verb(const struct image_invocation *invocation, struct err *e)
{
	if (invocation->count != 2)
		return err_set(e, ERR_INVALID, "expected a source and a destination");
	int r = copy(invocation, e);
	/* What came whole is kept for the next try, unless it takes the room that try needs. */
	if (r == 0 || e->kind == ERR_NO_SPACE)
		image_stored_clean_up(invocation->store);
	return r;
}
