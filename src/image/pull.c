#include "image/pull.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/allow.h"
#include "image/cache.h"
#include "image/choose.h"
#include "image/http.h"
#include "image/jail.h"
#include "image/layers.h"
#include "image/place.h"
#include "image/reference.h"
#include "image/registries.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/stored.h"
#include "image/tags.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/store.h"

struct places {
	SHAPE_LIST_OF(struct image_place) items;
};

/* What one pull has got so far. */
struct pulled {
	struct image_document manifest_text;
	char source[DIGEST_TEXT_SIZE]; /* what the name led to: of an index or the manifest */
	struct oci_manifest manifest;
	struct str config_text;
	struct oci_image_config config;
};

static void clear_places(struct places *places)
{
	for (size_t i = 0; i < places->items.count; i++)
		image_place_clear(&places->items.items[i]);
	free(places->items.items);
}

static void clear_pulled(struct pulled *pulled)
{
	image_document_clear(&pulled->manifest_text);
	oci_manifest_clear(&pulled->manifest);
	str_clear(&pulled->config_text);
	oci_image_config_clear(&pulled->config);
}

static int add_places(struct places *places, const struct image_pull *pull,
		      const struct image_registries *registries, const struct image_reference *ref,
		      struct err *e)
{
	own_clear(image_registries_clear_endpoints) struct image_endpoints endpoints = { 0 };
	int r = image_registries_endpoints(registries, ref, &endpoints, e);

	for (size_t i = 0; r == 0 && i < endpoints.items.count; i++) {
		struct image_place *place = shape_list_add(&places->items);
		r = image_place_find(place, ref, &endpoints.items.items[i], pull->access, e);
		if (r == 0)
			r = image_allow_registry(&place->allow, ref, e);
	}
	return r;
}

static int ask_which(struct image_references *candidates, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_free char *question = mem_format("Which image is \"%s\"?", text);

	for (size_t i = 0; i < candidates->items.count; i++)
		strv_add_take(&names, image_reference_format(&candidates->items.items[i]));
	int chosen = image_choose(question, &names, STDIN_FILENO, e);
	if (chosen < 0)
		return chosen;
	struct image_references one = { 0 };
	image_reference_copy(shape_list_add(&one.items), &candidates->items.items[chosen]);
	image_registries_clear_references(candidates);
	*candidates = one;
	return 0;
}

/* containers-registries.conf(5), short-name-mode: a person is asked, a program is not. */
static int settle_candidates(const struct image_registries *registries,
			     struct image_references *candidates, const char *text, struct err *e)
{
	enum image_short_names mode = image_registries_short_names(registries);

	if (candidates->items.count < 2 || mode == IMAGE_SHORT_NAMES_DISABLED)
		return 0;
	if (image_choose_possible())
		return ask_which(candidates, text, e);
	if (mode == IMAGE_SHORT_NAMES_PERMISSIVE)
		return 0;
	own_free char *first = image_reference_format(&candidates->items.items[0]);
	err_set(e, ERR_INVALID,
		"short name \"%s\": %zu registries may be meant, and "
		"registries.conf says not to guess",
		text, candidates->items.count);
	return err_hint(e, "write it with its registry: %s", first);
}

/* All that is read from this host's files, before the first byte from outside. */
static int find_places(struct places *places, const struct image_pull *pull, const char *text,
		       struct err *e)
{
	own(image_registries_free) struct image_registries *registries = NULL;
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_references) struct image_references candidates = { 0 };
	int r = image_reference_parse(&ref, text, e);

	if (r == 0)
		r = image_registries_load(&registries, e);
	if (r == 0)
		r = image_registries_expand(registries, &ref, &candidates, e);
	if (r == 0)
		r = settle_candidates(registries, &candidates, text, e);
	for (size_t i = 0; r == 0 && i < candidates.items.count; i++)
		r = add_places(places, pull, registries, &candidates.items.items[i], e);
	return r;
}

/* Follows one step from an index to the manifest for the platform. */
static int choose(const struct image_pull *pull, struct image_registry *registry,
		  struct image_http *http, struct pulled *p, struct err *e)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	struct image_document *document = &p->manifest_text;
	int r = oci_index_parse(&index, document->text.text, document->text.length, e);

	if (r < 0)
		return r;
	int chosen = oci_index_choose(&index, pull->platform, e);
	if (chosen < 0)
		return chosen;
	image_document_clear(document);
	const struct oci_descriptor *entry = &index.manifests.items[chosen];
	r = image_registry_manifest(registry, http, entry->digest, document, e);
	if (r < 0)
		return r;
	if ((int64_t)document->text.length != entry->size)
		return err_set(e, ERR_CORRUPT, "manifest of %zu bytes, the index says %lld",
			       document->text.length, (long long)entry->size);
	return 0;
}

static int detect(const struct image_document *document, enum oci_document *kind, struct err *e)
{
	const char *type = document->media_type;

	/* Registries that serve files say text/plain or nothing; the document has its own word. */
	if (oci_image_document(type) == OCI_DOCUMENT_UNKNOWN && !str_empty(type) &&
	    !str_starts(type, "application/vnd."))
		type = NULL;
	return oci_image_detect(document->text.text ? document->text.text : "",
				document->text.length, type, kind, e);
}

static int check_layers(const struct oci_manifest *manifest, struct err *e)
{
	for (size_t i = 0; i < manifest->layers.count; i++) {
		const char *type = manifest->layers.items[i].media_type;
		if (!oci_image_is_layer(type))
			return err_set(e, ERR_UNSUPPORTED, "a layer is \"%.100s\"", type);
	}
	return 0;
}

static int fetch_manifest(const struct image_pull *pull, struct image_registry *registry,
			  struct image_http *http, const struct image_place *place,
			  struct pulled *p, struct err *e)
{
	const char *target = place->ref.digest ? place->ref.digest : place->ref.tag;
	struct image_document *document = &p->manifest_text;
	enum oci_document kind;
	int r = image_registry_manifest(registry, http, target, document, e);

	if (r < 0)
		return r;
	memcpy(p->source, document->digest, sizeof(p->source));
	r = detect(document, &kind, e);
	if (r == 0 && kind == OCI_DOCUMENT_INDEX) {
		r = choose(pull, registry, http, p, e);
		if (r == 0)
			r = detect(document, &kind, e);
		if (r == 0 && kind == OCI_DOCUMENT_INDEX)
			r = err_set(e, ERR_CORRUPT, "an index inside of an index");
	}
	if (r < 0)
		return r;
	return oci_manifest_parse(&p->manifest, document->text.text, document->text.length, e);
}

static int collect(void *context, const void *bytes, size_t length, struct err *e)
{
	struct str *text = context;

	(void)e;
	str_add_n(text, bytes, length);
	return 0;
}

static int fetch_config(struct image_registry *registry, struct image_http *http, struct pulled *p,
			struct err *e)
{
	const struct oci_descriptor *d = &p->manifest.config;
	struct image_blob_sink sink = { { collect, &p->config_text }, NULL, NULL };
	char digest[DIGEST_TEXT_SIZE];

	if (!str_equal(d->media_type, OCI_MEDIA_CONFIG) &&
	    !str_equal(d->media_type, DOCKER_MEDIA_CONFIG))
		return err_set(e, ERR_UNSUPPORTED, "this is no image of a container but \"%.100s\"",
			       d->media_type);
	if (d->size > OCI_IMAGE_CONFIG_MAX)
		return err_set(e, ERR_CORRUPT, "config of %lld bytes", (long long)d->size);
	int r = image_registry_blob(registry, http, d, 0, &sink, e);
	if (r < 0)
		return err_add(e, "config");
	storage_hash_bytes(p->config_text.text, p->config_text.length, digest);
	if (!str_equal(digest, d->digest))
		return err_set(e, ERR_CORRUPT, "the registry sent a config that is %s, not %s",
			       digest, d->digest);
	r = oci_image_config_parse(&p->config, p->config_text.text, p->config_text.length, e);
	if (r == 0)
		r = check_layers(&p->manifest, e);
	return r < 0 ? r : oci_image_check_layers(&p->manifest, &p->config, e);
}

static void warn_platform(const struct image_pull *pull, const struct pulled *p)
{
	const struct oci_platform *want = pull->platform;

	if (str_equal(p->config.os, want->os) &&
	    str_equal(p->config.architecture, want->architecture))
		return;
	image_report_note(pull->report, "The image is for %s/%s, not %s/%s",
			  p->config.os ? p->config.os : "unknown",
			  p->config.architecture ? p->config.architecture : "unknown", want->os,
			  want->architecture);
}

/* The image becomes visible with its entry in the index, and not before. */
static int keep(const struct image_pull *pull, const struct image_place *place, struct pulled *p,
		struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_free char *name = image_reference_format(&place->ref);
	struct image_document *document = &p->manifest_text;
	int r = storage_blob_put(pull->store, p->config_text.text, p->config_text.length, NULL, e);

	if (r == 0)
		r = storage_blob_put(pull->store, document->text.text, document->text.length, NULL,
				     e);
	if (r == 0)
		r = storage_index_read(&index, pull->store, e);
	if (r < 0)
		return r;
	const struct storage_entry *old = storage_index_find(&index, name);
	bool same = old && str_equal(old->digest, document->digest);
	struct storage_entry entry = {
		.reference = name,
		.digest = document->digest,
		.size = (int64_t)document->text.length,
		.media_type = p->manifest.media_type ? p->manifest.media_type
						     : (char *)OCI_MEDIA_MANIFEST,
		.id = p->manifest.config.digest,
		.source = p->source,
	};
	r = storage_index_add(pull->store, &entry, e);
	if (r == 0)
		image_report_image(pull->report, entry.id, name,
				   same ? IMAGE_STATE_EXISTS : IMAGE_STATE_NEW);
	return r;
}

/* In no list: a build looks at them. */
static int keep_documents(const struct image_pull *pull, const struct pulled *p, struct err *e)
{
	const struct image_document *document = &p->manifest_text;
	int r = storage_blob_put(pull->store, p->config_text.text, p->config_text.length, NULL, e);

	if (r == 0)
		r = storage_blob_put(pull->store, document->text.text, document->text.length, NULL,
				     e);
	if (r == 0)
		image_report_image(pull->report, document->digest, NULL, IMAGE_STATE_NEW);
	return r;
}

static int pull_from(const struct image_pull *pull, const struct image_place *place, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_clear(clear_pulled) struct pulled p = { 0 };
	int r = fetch_manifest(pull, registry, http, place, &p, e);

	if (r == 0)
		r = image_allow_check(place->allow, p.manifest_text.digest, e);
	if (r == 0)
		r = fetch_config(registry, http, &p, e);
	if (r < 0)
		return r;
	if (pull->documents)
		return keep_documents(pull, &p, e);
	if (pull->key)
		r = image_cache_choose(&p.manifest, &p.config, pull->key, e);
	else
		warn_platform(pull, &p);
	struct image_layers layers = { pull->store, pull->report, registry, NULL, pull->whole };
	if (r == 0)
		r = image_layers_bring(&layers, &p.manifest, &p.config, e);
	return r < 0 || pull->key ? r : keep(pull, place, &p, e);
}

/* Another place may do better; what our disk or our rules say is the same everywhere. */
static bool worth_another_place(const struct err *e)
{
	return e->kind == ERR_NOT_FOUND || e->kind == ERR_PERMISSION ||
	       e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT;
}

static int pull_from_places(const struct image_pull *pull, const struct places *places,
			    struct err *e)
{
	int r = -ENOENT;

	for (size_t i = 0; i < places->items.count; i++) {
		const struct image_place *place = &places->items.items[i];
		own_free char *name = image_reference_format(&place->ref);
		if (place->endpoint.mirror)
			image_report_note(pull->report, "Pulling %s from mirror %s", name,
					  place->endpoint.host);
		else
			image_report_note(pull->report, "Pulling %s", name);
		r = pull_from(pull, place, e);
		if (r == 0)
			return 0;
		err_add(e, "%s", image_reference_familiar(name));
		bool last = i + 1 == places->items.count;
		if (last || !(place->endpoint.mirror || worth_another_place(e)))
			return r;
		image_report_note(pull->report, "%s", e->text);
	}
	return r;
}

/* Of what is no image of a container, or none for this platform, nobody expects that it comes. */
static bool may_be_left_out(const struct err *e)
{
	return e->kind == ERR_UNSUPPORTED || e->kind == ERR_NOT_FOUND;
}

/* Every tag of the place. */
static int pull_tags(const struct image_pull *pull, struct image_place *place, struct err *e)
{
	own_clear(strv_clear) struct strv tags = { 0 };
	own(image_registry_free) struct image_registry *registry = image_place_registry(place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	size_t count = 0;

	int r = image_tags_list(&tags, registry, http, e);
	for (size_t i = 0; r == 0 && i < tags.count; i++) {
		mem_replace(&place->ref.tag, tags.items[i]);
		own_free char *name = image_reference_format(&place->ref);
		image_report_note(pull->report, "Pulling %s", name);
		r = pull_from(pull, place, e);
		count += r == 0;
		if (r == 0)
			continue;
		err_add(e, "%s", image_reference_familiar(name));
		if (may_be_left_out(e)) {
			image_report_note(pull->report, "%s", e->text);
			r = 0;
		}
	}
	if (r < 0 || count)
		return r;
	return err_set(e, ERR_NOT_FOUND, "none of %zu tags is an image for this platform",
		       tags.count);
}

/* The first place that has the repository. */
static int pull_all_tags(const struct image_pull *pull, struct places *places, struct err *e)
{
	int r = -ENOENT;

	for (size_t i = 0; i < places->items.count; i++) {
		r = pull_tags(pull, &places->items.items[i], e);
		if (r == 0 || !worth_another_place(e))
			return r;
	}
	return r;
}

static int check_all_tags(const char *text, struct err *e)
{
	const char *slash = strrchr(text, '/');

	if (!strpbrk(slash ? slash : text, ":@"))
		return 0;
	err_set(e, ERR_INVALID, "a tag or digest and --all-tags exclude each other");
	return err_hint(e, "name the repository alone");
}

static int pull_locked(const struct image_pull *pull, struct places *places, struct err *e)
{
	own_fd int lock = store_lock_layers_shared(pull->store, e);
	if (lock < 0)
		return lock;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	int r = pull->all_tags ? pull_all_tags(pull, places, e) : pull_from_places(pull, places, e);
	curl_global_cleanup();
	return r;
}

int image_pull(const struct image_pull *pull, const char *text, struct err *e)
{
	own_clear(clear_places) struct places places = { 0 };
	int r = pull->all_tags ? check_all_tags(text, e) : 0;

	if (r == 0)
		r = find_places(&places, pull, text, e);
	if (r < 0)
		return err_add(e, "%s", text);
	r = image_jail_enter(pull->store, e);
	if (r == 0)
		r = pull_locked(pull, &places, e);
	/* What came whole is kept for the next try, unless it takes the room that try needs. */
	if (r < 0 && e->kind == ERR_NO_SPACE)
		image_stored_clean_up(pull->store);
	return r;
}
