#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/decompress.h"
#include "image/output.h"
#include "image/read.h"
#include "image/reference.h"
#include "image/save.h"
#include "image/save_format.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/layer.h"

/* The unpacked bytes of a layer on their way into the archive, hashed. */
struct checked {
	struct byte_source tar;
	struct storage_hash *hash;
};

static ssize_t checked_next(void *context, const void **block, struct err *e)
{
	struct checked *checked = context;

	ssize_t n = checked->tar.next(checked->tar.context, block, e);
	if (n > 0)
		storage_hash_add(checked->hash, *block, (size_t)n);
	return n;
}

static int write_layer(struct image_output *output, const char *name, int fd, int64_t size,
		       const char *diff_id, struct err *e)
{
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	/* it was unpacked before: no bomb */
	own(image_decompress_free) struct image_decompress *plain =
		image_decompress_new(&packed, UINT32_MAX);
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	struct checked checked = { image_decompress_source(plain), hash };
	struct byte_source source = { checked_next, &checked };
	char got[DIGEST_TEXT_SIZE];

	int r = image_output_file(output, name, size, &source, e);
	if (r < 0)
		return r;
	storage_hash_end(hash, got);
	if (strcmp(got, diff_id) != 0)
		return err_set(e, ERR_CORRUPT, "layer %s is damaged in the store", diff_id);
	return 0;
}

static int save_layer(const struct image_save *save, struct image_output *output,
		      const char *digest, const char *diff_id, struct err *e)
{
	own_clear(layer_facts_clear) struct layer_facts facts = { 0 };
	own_free char *name = mem_format("%s.tar", oci_digest_hex(diff_id));

	if (image_output_has(output, name))
		return 0;
	int64_t size = 0;
	own_fd int fd = storage_blob_open(save->store, digest, &size, e);
	if (fd < 0)
		return fd;
	/* one that is not compressed is as long as it is, also before it was ever unpacked */
	if (strcmp(oci_digest_hex(digest), oci_digest_hex(diff_id)) != 0) {
		int r = storage_layer_facts(save->store, diff_id, &facts, e);
		if (r < 0)
			return r;
		size = (int64_t)facts.tar_size;
	}
	return write_layer(output, name, fd, size, diff_id, e);
}

static int save_config(const struct image_save *save, struct image_output *output,
		       const char *digest, struct err *e)
{
	own_free char *name = mem_format("%s.json", oci_digest_hex(digest));

	return image_save_blob(save, output, digest, name, e);
}

static int save_image(const struct image_save *save, const struct image_saved *saved,
		      struct image_output *output, struct err *e)
{
	const struct oci_manifest *manifest = &saved->image.manifest;
	const struct strv *diff_ids = &saved->image.config.rootfs.diff_ids;

	for (size_t i = 0; i < manifest->layers.count; i++) {
		int r = save_layer(save, output, manifest->layers.items[i].digest,
				   diff_ids->items[i], e);
		if (r < 0)
			return err_add(e, "layer %zu", i + 1);
	}
	return save_config(save, output, manifest->config.digest, e);
}

static struct json_object *text(const char *value)
{
	return json_object_new_string(value);
}

/* A name with a digest is none that docker could tag. */
static bool is_tag(const char *reference)
{
	return !strchr(reference, '@') && strrchr(reference, ':');
}

static struct json_object *describe(const struct image_saved *saved)
{
	struct json_object *object = json_object_new_object();
	struct json_object *tags = json_object_new_array();
	struct json_object *layers = json_object_new_array();
	const struct strv *diff_ids = &saved->image.config.rootfs.diff_ids;
	own_free char *config =
		mem_format("%s.json", oci_digest_hex(saved->image.manifest.config.digest));

	for (size_t i = 0; i < saved->references.count; i++)
		if (is_tag(saved->references.items[i]))
			json_object_array_add(
				tags, text(image_reference_familiar(saved->references.items[i])));
	for (size_t i = 0; i < diff_ids->count; i++) {
		own_free char *name = mem_format("%s.tar", oci_digest_hex(diff_ids->items[i]));
		json_object_array_add(layers, text(name));
	}
	json_object_object_add(object, "Config", text(config));
	json_object_object_add(object, "RepoTags", tags);
	json_object_object_add(object, "Layers", layers);
	return object;
}

int image_save_docker(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e)
{
	own_json struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->items.count; i++) {
		int r = save_image(save, &list->items.items[i], output, e);
		if (r < 0)
			return r;
		json_object_array_add(array, describe(&list->items.items[i]));
	}
	return image_output_text(output, "manifest.json", json_text(array), e);
}
