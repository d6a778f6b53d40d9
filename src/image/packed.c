#include "image/packed.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/layer.h"
#include "storage/pack.h"

/* ---- layers ---- */

static int write_blob(void *context, const void *bytes, size_t length, struct err *e)
{
	return storage_blob_write(context, bytes, length, e);
}

/* The layer's digest is its diff id: it is stored as it is, not compressed. */
int image_packed_layer(struct oci_descriptor *ret, const struct store *store, int folder_fd,
		       const struct pack_options *options, struct err *e)
{
	own(storage_blob_end) struct blob_writer *blob = NULL;
	char digest[DIGEST_TEXT_SIZE];
	int64_t size = 0;

	int r = storage_blob_begin(&blob, store, NULL, -1, OCI_IMAGE_BLOB_MAX, true, e);
	if (r < 0)
		return r;
	const struct byte_sink sink = { write_blob, blob };
	r = storage_pack(folder_fd, options, &sink, e);
	if (r == 0)
		r = storage_blob_commit(blob, digest, &size, e);
	if (r < 0)
		return r;
	*ret = (struct oci_descriptor){
		.media_type = mem_text(OCI_MEDIA_LAYER),
		.digest = mem_text(digest),
		.size = size,
	};
	return 0;
}

static int pack_parent(const struct store *store, struct oci_descriptor *layer, char **diff_id,
		       struct err *e)
{
	static const struct pack_options options = { .whiteouts = true };
	struct oci_descriptor packed;

	if (storage_blob_exists(store, layer->digest, layer->size))
		return 0;
	own_fd int fd = storage_layer_open(store, *diff_id, e);
	int r = fd < 0 ? fd : image_packed_layer(&packed, store, fd, &options, e);
	if (r < 0)
		return r;
	shape_clear(&oci_descriptor_shape, layer);
	*layer = packed;
	mem_replace(diff_id, packed.digest);
	return 0;
}

int image_packed_parents(const struct store *store, struct oci_manifest *manifest,
			 struct oci_image_config *config, struct err *e)
{
	int r = 0;

	if (manifest->layers.count != config->rootfs.diff_ids.count)
		return err_set(e, ERR_INVALID, "the config is not that of the image");
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++)
		r = pack_parent(store, &manifest->layers.items[i],
				&config->rootfs.diff_ids.items[i], e);
	return r;
}

/* ---- the documents ---- */

static int put(const struct store *store, const struct shape *shape, const void *document,
	       char digest[DIGEST_TEXT_SIZE], int64_t *size, struct err *e)
{
	own_json struct json_object *object = shape_write(shape, document);
	const char *text = json_text(object);

	*size = (int64_t)strlen(text);
	return storage_blob_put(store, text, strlen(text), digest, e);
}

/* The types of OCI and docker for the same things. */
static const char *const types[][2] = {
	{ OCI_MEDIA_LAYER, DOCKER_MEDIA_LAYER },
	{ OCI_MEDIA_LAYER_GZIP, DOCKER_MEDIA_LAYER_GZIP },
	{ OCI_MEDIA_LAYER_ZSTD, DOCKER_MEDIA_LAYER_ZSTD },
	{ OCI_MEDIA_FOREIGN_GZIP, DOCKER_MEDIA_FOREIGN_GZIP },
};

static void translate(char **type, bool docker)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_equal(*type, types[i][!docker]))
			mem_replace(type, types[i][docker]);
}

int image_packed_documents(const struct store *store, struct oci_manifest *manifest,
			   const struct oci_image_config *config, bool docker, char *ret_digest,
			   struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];
	int64_t size;

	int r = put(store, &oci_image_config_shape, config, digest, &size, e);
	if (r < 0)
		return r;
	shape_clear(&oci_descriptor_shape, &manifest->config);
	manifest->config = (struct oci_descriptor){
		.media_type = mem_text(docker ? DOCKER_MEDIA_CONFIG : OCI_MEDIA_CONFIG),
		.digest = mem_text(digest),
		.size = size,
	};
	manifest->schema_version = 2;
	mem_replace(&manifest->media_type, docker ? DOCKER_MEDIA_MANIFEST : OCI_MEDIA_MANIFEST);
	for (size_t i = 0; i < manifest->layers.count; i++)
		translate(&manifest->layers.items[i].media_type, docker);
	return put(store, &oci_manifest_shape, manifest, ret_digest, &size, e);
}
