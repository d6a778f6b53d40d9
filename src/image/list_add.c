#include "image/list_add.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/find.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/list.h"
#include "image/place.h"
#include "image/registry.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/list.h"

/* ---- annotations and platform ---- */

static int change_annotation(struct oci_descriptor *entry, const char *text, struct err *e)
{
	size_t key = strcspn(text, "=");

	if (!key || !text[key])
		return err_set(e, ERR_INVALID, "--annotation %s: expected KEY=VALUE", text);
	own_free char *name = mem_text_n(text, key);
	if (str_equal(name, STORAGE_LIST_SOURCE) || str_equal(name, STORAGE_LIST_NAME))
		return err_set(e, ERR_INVALID, "--annotation %s: that one is holm's", name);
	shape_map_set(&entry->annotations, name, text + key + 1);
	return 0;
}

int image_list_change(struct oci_descriptor *entry, const struct strv *changes, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->count; i++) {
		const char *change = changes->items[i];
		const char *value = strchr(change, '=');
		if (!value)
			return err_set(e, ERR_INVALID, "%s: expected KEY=VALUE", change);
		value++;
		if (!entry->platform)
			entry->platform = mem_new_struct(struct oci_platform);
		if (str_starts(change, "os="))
			mem_replace(&entry->platform->os, value);
		else if (str_starts(change, "arch="))
			mem_replace(&entry->platform->architecture, value);
		else if (str_starts(change, "variant="))
			mem_replace(&entry->platform->variant, value);
		else if (str_starts(change, "os-version="))
			mem_replace(&entry->platform->os_version, value);
		else
			r = change_annotation(entry, value, e);
	}
	return r;
}

static void set_platform(struct oci_descriptor *entry, const struct oci_image_config *config)
{
	entry->platform = mem_new_struct(struct oci_platform);
	entry->platform->os = mem_text(config->os);
	entry->platform->architecture = mem_text(config->architecture);
	entry->platform->variant = mem_text(config->variant);
	entry->platform->os_version = mem_text(config->os_version);
}

/* ---- an image of the store ---- */

static int add_local(struct image_list_additions *to, const struct image_invocation *invocation,
		     const struct storage_entry *found, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	int r = storage_image_read(&image, invocation->store, found->digest, e);

	if (r < 0)
		return r;
	struct oci_descriptor *entry = shape_list_add(&to->items);
	entry->media_type = mem_text(found->media_type ? found->media_type : OCI_MEDIA_MANIFEST);
	entry->digest = mem_text(found->digest);
	entry->size = found->size;
	if (found->reference)
		shape_map_set(&entry->annotations, STORAGE_LIST_NAME, found->reference);
	set_platform(entry, &image.config);
	return 0;
}

/* ---- one of a registry ---- */

static int collect(void *context, const void *bytes, size_t length, struct err *e)
{
	struct str *text = context;

	(void)e;
	str_add_n(text, bytes, length);
	return 0;
}

static int find_platform(struct oci_descriptor *entry, struct image_registry *registry,
			 struct image_http *http, const struct image_document *document,
			 struct err *e)
{
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { 0 };
	own_clear(oci_image_config_clear) struct oci_image_config config = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	struct image_blob_sink sink = { { collect, &text }, NULL, NULL };
	int r = oci_manifest_parse(&manifest, document->text.text, document->text.length, e);

	if (r == 0 && manifest.config.size > OCI_IMAGE_CONFIG_MAX)
		r = err_set(e, ERR_CORRUPT, "a config of %lld bytes",
			    (long long)manifest.config.size);
	if (r == 0)
		r = image_registry_blob(registry, http, &manifest.config, 0, &sink, e);
	if (r == 0)
		r = oci_image_config_parse(&config, text.text ? text.text : "", text.length, e);
	if (r == 0)
		set_platform(entry, &config);
	return r;
}

static int add_manifest(struct image_list_additions *to, struct image_registry *registry,
			struct image_http *http, const struct image_document *document,
			struct err *e)
{
	struct oci_descriptor *entry = shape_list_add(&to->items);

	entry->media_type =
		mem_text(document->media_type ? document->media_type : OCI_MEDIA_MANIFEST);
	entry->digest = mem_text(document->digest);
	entry->size = (int64_t)document->text.length;
	return find_platform(entry, registry, http, document, e);
}

static void copy_entry(struct oci_descriptor *to, const struct oci_descriptor *from)
{
	own_json struct json_object *object = shape_write(&oci_descriptor_shape, from);
	struct err ignored;

	shape_read(&oci_descriptor_shape, object, to, &ignored);
}

static int add_index(struct image_list_additions *to, const struct image_invocation *invocation,
		     const struct oci_index *index, struct err *e)
{
	int chosen = invocation->all ? 0 : oci_index_choose(index, &invocation->platform, e);

	if (chosen < 0)
		return chosen;
	for (size_t i = 0; i < index->manifests.count; i++)
		if (invocation->all || i == (size_t)chosen)
			copy_entry(shape_list_add(&to->items), &index->manifests.items[i]);
	return 0;
}

static int ask(struct image_list_additions *to, const struct image_invocation *invocation,
	       const struct image_place *place, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_clear(image_document_clear) struct image_document document = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	own_free char *name = image_reference_format(&place->ref);
	own_free char *source = image_reference_name(&place->ref);
	const char *target = place->ref.digest ? place->ref.digest : place->ref.tag;
	size_t before = to->items.count;
	enum oci_document kind;
	int r = image_registry_manifest(registry, http, target, &document, e);

	if (r == 0)
		r = oci_image_detect(document.text.text ? document.text.text : "",
				     document.text.length, document.media_type, &kind, e);
	if (r == 0 && kind == OCI_DOCUMENT_INDEX) {
		r = oci_index_parse(&index, document.text.text, document.text.length, e);
		if (r == 0)
			r = add_index(to, invocation, &index, e);
	} else if (r == 0) {
		r = add_manifest(to, registry, http, &document, e);
	}
	for (size_t i = before; i < to->items.count; i++) {
		shape_map_set(&to->items.items[i].annotations, STORAGE_LIST_SOURCE, source);
		shape_map_set(&to->items.items[i].annotations, STORAGE_LIST_NAME, name);
	}
	return r < 0 ? err_add(e, "%s", image_reference_familiar(name)) : 0;
}

/* ---- all of them ---- */

struct places {
	SHAPE_LIST_OF(struct image_place) items;
};

static void clear_places(struct places *places)
{
	for (size_t i = 0; i < places->items.count; i++)
		image_place_clear(&places->items.items[i]);
	free(places->items.items);
}

static int add_place(struct places *places, const struct image_invocation *invocation,
		     const char *name, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, name, e);

	return r < 0 ? r
		     : image_place_find_primary(shape_list_add(&places->items), &ref,
						&invocation->access, e);
}

static int find_one(struct image_list_additions *to, struct places *places,
		    const struct image_invocation *invocation, const struct storage_index *index,
		    const char *name, struct err *e)
{
	static const char remote[] = "docker://";
	const struct storage_entry *found = NULL;

	if (str_starts(name, remote))
		return add_place(places, invocation, name + strlen(remote), e);
	int r = image_find(index, name, &found, e);
	if (r == 0)
		return add_local(to, invocation, found, e);
	return e->kind == ERR_NOT_FOUND ? add_place(places, invocation, name, e) : r;
}

static int ask_all(struct image_list_additions *to, const struct image_invocation *invocation,
		   const struct places *places, struct err *e)
{
	int r = places->items.count ? image_jail_enter(invocation->store, e) : 0;

	if (r == 0 && places->items.count && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(e, ERR_INTERNAL, "libcurl does not start");
	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		r = ask(to, invocation, &places->items.items[i], e);
	return r;
}

int image_list_find(struct image_list_additions *to, const struct image_invocation *invocation,
		    char *const *names, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(clear_places) struct places places = { 0 };
	int r = storage_index_read(&index, invocation->store, e);

	for (size_t i = 0; r == 0 && names[i]; i++)
		r = find_one(to, &places, invocation, &index, names[i], e);
	if (r == 0)
		r = ask_all(to, invocation, &places, e);
	for (size_t i = 0; r == 0 && i < to->items.count; i++)
		r = image_list_change(&to->items.items[i], &invocation->changes, e);
	return r;
}

void image_list_clear_additions(struct image_list_additions *all)
{
	for (size_t i = 0; i < all->items.count; i++)
		shape_clear(&oci_descriptor_shape, &all->items.items[i]);
	free(all->items.items);
	*all = (struct image_list_additions){ 0 };
}

int image_list_add(struct oci_index *list, struct image_list_additions *all, struct err *e)
{
	for (size_t i = 0; i < all->items.count; i++) {
		struct oci_descriptor *to = NULL;
		for (size_t k = 0; k < list->manifests.count; k++)
			if (str_equal(list->manifests.items[k].digest, all->items.items[i].digest))
				to = &list->manifests.items[k];
		if (!to && list->manifests.count == OCI_IMAGE_INDEX_MAX)
			return err_set(e, ERR_INVALID, "more than %d manifests",
				       OCI_IMAGE_INDEX_MAX);
		if (to)
			shape_clear(&oci_descriptor_shape, to);
		else
			to = shape_list_add(&list->manifests);
		*to = all->items.items[i];
		all->items.items[i] = (struct oci_descriptor){ 0 };
	}
	return 0;
}

/* ---- looking ---- */

static int print_remote(const struct image_place *place, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_clear(image_document_clear) struct image_document document = { 0 };
	own_json struct json_object *object = NULL;
	const char *target = place->ref.digest ? place->ref.digest : place->ref.tag;
	int r = image_registry_manifest(registry, http, target, &document, e);

	if (r == 0)
		r = json_parse(&object, document.text.text ? document.text.text : "",
			       document.text.length, "manifest", e);
	if (r == 0)
		puts(json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	return r;
}

int image_list_inspect_remote(const struct image_invocation *invocation, struct err *e)
{
	own_clear(clear_places) struct places places = { 0 };
	int r = add_place(&places, invocation, invocation->operands[1], e);

	if (r == 0)
		r = image_jail_enter(invocation->store, e);
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(e, ERR_INTERNAL, "libcurl does not start");
	return r < 0 ? r : print_remote(&places.items.items[0], e);
}
