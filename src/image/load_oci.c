#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/load.h"
#include "image/load_format.h"
#include "image/members.h"
#include "image/stored.h"
#include "oci/image.h"
#include "storage/blob.h"

enum { INDEX_DEPTH_MAX = 3, LAYOUT_BYTES_MAX = 4096 };

struct blob_name {
	char text[96];
};

static struct blob_name blob_name(const char *digest)
{
	struct blob_name name;

	snprintf(name.text, sizeof(name.text), "blobs/sha256/%s", oci_digest_hex(digest));
	return name;
}

/* Brings one blob into the store; one that is there already need not be in the archive. */
static int store_blob(const struct image_load *load, struct image_members *members,
		      const struct oci_descriptor *d, struct err *e)
{
	struct blob_name name = blob_name(d->digest);

	if (storage_blob_exists(load->store, d->digest, d->size))
		return 0;
	return image_members_store(members, name.text, d->digest, d->size, NULL, NULL, e);
}

/* A layer stays where it is until it is unpacked. */
static int promise_layer(const struct image_load *load, struct image_members *members,
			 const struct oci_descriptor *d, struct err *e)
{
	struct blob_name name = blob_name(d->digest);

	if (!oci_image_is_layer(d->media_type))
		return err_set(e, ERR_UNSUPPORTED, "a layer of type '%.100s'", d->media_type);
	if (storage_blob_exists(load->store, d->digest, d->size))
		return 0;
	return image_members_promise(members, name.text, d->digest, d->size, e);
}

static int store_document(const struct image_load *load, struct image_members *members,
			  const struct oci_descriptor *d, struct str *text, struct err *e)
{
	if (d->size > OCI_IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "a manifest of %lld bytes", (long long)d->size);
	int r = store_blob(load, members, d, e);
	if (r == 0)
		r = storage_blob_read_verified(load->store, d->digest, OCI_IMAGE_MANIFEST_MAX, text,
					       e);
	return r;
}

static int store_config(const struct image_load *load, struct image_members *members,
			const struct oci_descriptor *d, struct err *e)
{
	if (!str_equal(d->media_type, OCI_MEDIA_CONFIG) &&
	    !str_equal(d->media_type, DOCKER_MEDIA_CONFIG))
		return err_set(e, ERR_UNSUPPORTED, "not a container image but '%.100s'",
			       d->media_type);
	if (d->size > OCI_IMAGE_CONFIG_MAX)
		return err_set(e, ERR_CORRUPT, "a config of %lld bytes", (long long)d->size);
	return store_blob(load, members, d, e);
}

static int load_manifest(const struct image_load *load, struct image_members *members,
			 const struct oci_descriptor *d, const struct str *text,
			 const char *reference, struct err *e)
{
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { 0 };
	struct image_stored stored = { load->store, load->report, members };

	int r = oci_manifest_parse(&manifest, text->text ? text->text : "", text->length, e);
	if (r == 0)
		r = store_config(load, members, &manifest.config, e);
	for (size_t i = 0; r == 0 && i < manifest.layers.count; i++)
		r = promise_layer(load, members, &manifest.layers.items[i], e);
	return r < 0 ? r : image_stored_finish(&stored, d->digest, reference, e);
}

/* Follows indexes down to the manifest for the platform. */
static int load_descriptor(const struct image_load *load, struct image_members *members,
			   const struct oci_descriptor *d, const char *reference, int depth,
			   struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	enum oci_document kind;

	if (depth > INDEX_DEPTH_MAX)
		return err_set(e, ERR_CORRUPT, "indexes within indexes");
	int r = store_document(load, members, d, &text, e);
	if (r == 0)
		r = oci_image_detect(text.text ? text.text : "", text.length, d->media_type, &kind,
				     e);
	if (r < 0)
		return r;
	if (kind == OCI_DOCUMENT_MANIFEST)
		return load_manifest(load, members, d, &text, reference, e);
	r = oci_index_parse(&index, text.text, text.length, e);
	if (r == 0)
		r = oci_index_choose(&index, load->platform, e);
	if (r < 0)
		return r;
	return load_descriptor(load, members, &index.manifests.items[r], reference, depth + 1, e);
}

/* docker and containerd put the full name beside the tag. */
static const char *name_of(const struct oci_descriptor *d)
{
	const char *name = shape_map_get(&d->annotations, OCI_ANNOTATION_CONTAINERD_NAME);
	return name ? name : shape_map_get(&d->annotations, OCI_ANNOTATION_REF_NAME);
}

static bool is_attestation(const struct oci_descriptor *d)
{
	return d->platform && str_equal(d->platform->os, "unknown");
}

/* One image for several platforms, spread out in index.json itself. */
static bool is_one_image(const struct oci_index *index)
{
	size_t platforms = 0;

	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct oci_descriptor *d = &index->manifests.items[i];
		if (name_of(d))
			return false;
		platforms += d->platform && !is_attestation(d);
	}
	return platforms > 1;
}

static int load_entries(const struct image_load *load, struct image_members *members,
			const struct oci_index *index, struct err *e)
{
	size_t loaded = 0;

	for (size_t i = 0; i < index->manifests.count; i++) {
		const struct oci_descriptor *d = &index->manifests.items[i];
		const char *name = name_of(d);
		/* holm's own store and tools keep dangling images under no name: by position */
		if (is_attestation(d) || !image_load_wanted(load, name))
			continue;
		own_free char *reference = image_load_reference(name);
		int r = load_descriptor(load, members, d, reference, 0, e);
		if (r < 0)
			return reference ? err_add(e, "%s", reference) : r;
		loaded++;
	}
	if (loaded)
		return 0;
	return err_set(e, ERR_NOT_FOUND, load->name ? "it has no image '%s'" : "it has no image",
		       load->name);
}

static int check_layout(struct image_members *members, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = NULL;
	struct json_object *version = NULL;

	int r = image_members_read(members, "oci-layout", LAYOUT_BYTES_MAX, &text, e);
	if (r == 0)
		r = json_parse(&object, text.text ? text.text : "", text.length, "oci-layout", e);
	if (r < 0)
		return r;
	json_object_object_get_ex(object, "imageLayoutVersion", &version);
	const char *is = version ? json_object_get_string(version) : "";
	if (!str_starts(is, "1."))
		return err_set(e, ERR_UNSUPPORTED, "oci-layout: version '%.20s'", is);
	return 0;
}

int image_load_oci(const struct image_load *load, struct image_members *members, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };

	int r = check_layout(members, e);
	if (r == 0)
		r = image_members_read(members, "index.json", OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = oci_index_parse(&index, text.text ? text.text : "", text.length, e);
	if (r < 0)
		return r;
	if (!is_one_image(&index))
		return load_entries(load, members, &index, e);
	r = oci_index_choose(&index, load->platform, e);
	if (r < 0)
		return r;
	return load_descriptor(load, members, &index.manifests.items[r], NULL, 0, e);
}
