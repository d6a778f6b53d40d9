#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/load.h"
#include "image/load_format.h"
#include "image/members.h"
#include "image/stored.h"
#include "oci/image.h"
#include "storage/blob.h"

enum { IMAGES_MAX = 4096 };

/* One element of manifest.json. */
struct docker_image {
	char *config;
	struct strv repo_tags;
	struct strv layers; /* names of files, lowest first */
};

static const struct shape docker_image_shape = {
	sizeof(struct docker_image),
	(const struct shape_field[]){
		{ "Config", SHAPE_STRING, offsetof(struct docker_image, config) },
		{ "RepoTags", SHAPE_STRINGS, offsetof(struct docker_image, repo_tags) },
		{ "Layers", SHAPE_STRINGS, offsetof(struct docker_image, layers) },
		{ 0 },
	},
};

static void clear_image(struct docker_image *image)
{
	shape_clear(&docker_image_shape, image);
}

static const char *layer_type(const char magic[4])
{
	if (memcmp(magic, "\x1f\x8b", 2) == 0)
		return OCI_MEDIA_LAYER_GZIP;
	if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		return OCI_MEDIA_LAYER_ZSTD;
	return OCI_MEDIA_LAYER;
}

static int store_member(struct image_members *members, const char *name, struct oci_descriptor *to,
			struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];

	int r = image_members_store(members, name, NULL, -1, digest, &to->size, e);
	if (r == 0)
		to->digest = mem_text(digest);
	return r;
}

/* A layer that is not compressed has the digest that the config says, by which it can stay where
 * it is until it is unpacked. */
static int take_layer(struct image_members *members, const char *name, const char *diff_id,
		      struct oci_descriptor *to, struct err *e)
{
	char magic[4];

	int r = image_members_look(members, name, magic, sizeof(magic), &to->size, e);
	if (r < 0)
		return r;
	const char *type = layer_type(magic);
	to->media_type = mem_text(type);
	if (!diff_id || strcmp(type, OCI_MEDIA_LAYER) != 0)
		return store_member(members, name, to, e);
	to->digest = mem_text(diff_id);
	return image_members_promise(members, name, diff_id, to->size, e);
}

static int read_config(struct oci_image_config *to, const struct image_load *load,
		       const struct docker_image *image, const struct oci_descriptor *config,
		       struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (config->size > OCI_IMAGE_CONFIG_MAX)
		return err_set(e, ERR_CORRUPT, "%.100s: %lld bytes", image->config,
			       (long long)config->size);
	int r = storage_blob_read(load->store, config->digest, OCI_IMAGE_CONFIG_MAX, &text, e);
	if (r < 0)
		return r;
	return oci_image_config_parse(to, text.text ? text.text : "", text.length, e);
}

static int take_layers(struct image_members *members, const struct docker_image *image,
		       const struct oci_image_config *config, struct oci_manifest *manifest,
		       struct err *e)
{
	const struct strv *diff_ids = &config->rootfs.diff_ids;

	if (image->layers.count > OCI_IMAGE_LAYERS_MAX)
		return err_set(e, ERR_CORRUPT, "%zu layers, more than %d", image->layers.count,
			       OCI_IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < image->layers.count; i++) {
		int r = take_layer(members, image->layers.items[i],
				   i < diff_ids->count ? diff_ids->items[i] : NULL,
				   shape_list_add(&manifest->layers), e);
		if (r < 0)
			return r;
	}
	return oci_image_check_layers(manifest, config, e);
}

/* Docker's archives have no manifest as registries know it: holm writes the one they lack. */
static int make_manifest(const struct image_load *load, struct image_members *members,
			 const struct docker_image *image, char *digest, struct err *e)
{
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { .schema_version = 2 };
	own_clear(oci_image_config_clear) struct oci_image_config config = { 0 };

	if (str_empty(image->config))
		return err_set(e, ERR_CORRUPT, "manifest.json: no Config");
	manifest.media_type = mem_text(OCI_MEDIA_MANIFEST);
	manifest.config.media_type = mem_text(OCI_MEDIA_CONFIG);
	int r = store_member(members, image->config, &manifest.config, e);
	if (r == 0)
		r = read_config(&config, load, image, &manifest.config, e);
	if (r == 0)
		r = take_layers(members, image, &config, &manifest, e);
	if (r < 0)
		return r;
	own_json struct json_object *object = shape_write(&oci_manifest_shape, &manifest);
	const char *text = json_text(object);
	return storage_blob_put(load->store, text, strlen(text), digest, e);
}

static int load_image(const struct image_load *load, struct image_members *members,
		      const struct docker_image *image, struct err *e)
{
	struct image_stored stored = { load->store, load->report, members };
	char digest[DIGEST_TEXT_SIZE];
	size_t named = 0;

	int r = make_manifest(load, members, image, digest, e);
	for (size_t i = 0; r == 0 && i < image->repo_tags.count; i++) {
		own_free char *reference = image_load_reference(image->repo_tags.items[i]);
		if (!reference || !image_load_wanted(load, image->repo_tags.items[i]))
			continue;
		r = image_stored_finish(&stored, digest, reference, e);
		named++;
	}
	if (r == 0 && !named)
		r = image_stored_finish(&stored, digest, NULL, e);
	return r;
}

static bool is_wanted(const struct image_load *load, const struct docker_image *image)
{
	for (size_t i = 0; i < image->repo_tags.count; i++)
		if (image_load_wanted(load, image->repo_tags.items[i]))
			return true;
	return !load->name;
}

static int load_images(const struct image_load *load, struct image_members *members,
		       struct json_object *array, struct err *e)
{
	size_t loaded = 0;

	for (size_t i = 0; i < json_object_array_length(array); i++) {
		own_clear(clear_image) struct docker_image image = { 0 };
		int r = shape_read(&docker_image_shape, json_object_array_get_idx(array, i), &image,
				   e);
		if (r < 0)
			return err_add(e, "manifest.json: [%zu]", i);
		if (!is_wanted(load, &image))
			continue;
		r = load_image(load, members, &image, e);
		if (r < 0)
			return r;
		loaded++;
	}
	if (loaded)
		return 0;
	return err_set(e, ERR_NOT_FOUND, load->name ? "it has no image '%s'" : "it has no image",
		       load->name);
}

int image_load_docker(const struct image_load *load, struct image_members *members, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *array = NULL;

	int r = image_members_read(members, "manifest.json", OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = json_parse(&array, text.text ? text.text : "", text.length, "manifest.json", e);
	if (r < 0)
		return r;
	if (!json_object_is_type(array, json_type_array))
		return err_set(e, ERR_CORRUPT, "manifest.json: not an array");
	if (json_object_array_length(array) > IMAGES_MAX)
		return err_set(e, ERR_CORRUPT, "manifest.json: more than %d images", IMAGES_MAX);
	return load_images(load, members, array, e);
}
