#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/output.h"
#include "image/save.h"
#include "image/save_format.h"
#include "oci/image.h"

static int save_blob(const struct image_save *save, struct image_output *output, const char *digest,
		     struct err *e)
{
	own_free char *name = mem_format("blobs/sha256/%s", oci_digest_hex(digest));

	return image_save_blob(save, output, digest, name, e);
}

static int save_blobs(const struct image_save *save, const struct image_saved *saved,
		      struct image_output *output, struct err *e)
{
	const struct oci_manifest *manifest = &saved->image.manifest;

	int r = save_blob(save, output, saved->image.digest, e);
	if (r == 0)
		r = save_blob(save, output, manifest->config.digest, e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++)
		r = save_blob(save, output, manifest->layers.items[i].digest, e);
	return r;
}

static struct oci_descriptor *add_document(struct oci_index *index, const char *media_type,
					   const char *digest, int64_t size, const char *name)
{
	struct oci_descriptor *d = shape_list_add(&index->manifests);

	d->media_type = mem_text(media_type);
	d->digest = mem_text(digest);
	d->size = size;
	if (name) {
		shape_map_set(&d->annotations, OCI_ANNOTATION_REF_NAME, name);
		shape_map_set(&d->annotations, OCI_ANNOTATION_CONTAINERD_NAME, name);
	}
	return d;
}

static void add_entry(struct oci_index *index, const struct image_saved *saved, const char *name)
{
	const struct oci_image_config *config = &saved->image.config;
	struct oci_descriptor *d =
		add_document(index, saved->media_type, saved->image.digest, saved->size, name);

	d->platform = mem_new_struct(struct oci_platform);
	d->platform->os = mem_text(config->os);
	d->platform->architecture = mem_text(config->architecture);
	d->platform->variant = mem_text(config->variant);
}

int image_save_oci(const struct image_save *save, const struct image_saved_list *list,
		   struct image_output *output, struct err *e)
{
	own_clear(oci_index_clear) struct oci_index index = { .schema_version = 2 };
	int r = 0;

	index.media_type = mem_text(OCI_MEDIA_INDEX);
	for (size_t i = 0; r == 0 && i < list->items.count; i++) {
		const struct image_saved *saved = &list->items.items[i];
		r = save_blobs(save, saved, output, e);
		if (list->whole.digest)
			continue;
		for (size_t k = 0; k < saved->references.count; k++)
			add_entry(&index, saved, saved->references.items[k]);
		if (!saved->references.count)
			add_entry(&index, saved, NULL);
	}
	if (r == 0 && list->whole.digest) {
		const struct oci_descriptor *d = &list->whole;
		add_document(&index, d->media_type, d->digest, d->size, save->as);
		r = save_blob(save, output, d->digest, e);
	}
	if (r == 0)
		r = image_output_text(output, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}",
				      e);
	if (r < 0)
		return r;
	own_json struct json_object *object = shape_write(&oci_index_shape, &index);
	return image_output_text(output, "index.json", json_text(object), e);
}
