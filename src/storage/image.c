#include "storage/image.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "storage/blob.h"
#include "storage/blob_path.h"
#include "storage/layer.h"
#include "storage/store.h"

void storage_image_clear(struct storage_image *image)
{
	free(image->digest);
	oci_manifest_clear(&image->manifest);
	oci_image_config_clear(&image->config);
	*image = (struct storage_image){ 0 };
}

static int read_manifest(struct oci_manifest *to, const struct store *store, const char *digest,
			 struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = storage_blob_read(store, digest, OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r < 0)
		return r;
	return oci_manifest_parse(to, text.text ? text.text : "", text.length, e);
}

static int read_config(struct oci_image_config *to, const struct store *store, const char *digest,
		       struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = storage_blob_read(store, digest, OCI_IMAGE_CONFIG_MAX, &text, e);
	if (r < 0)
		return r;
	return oci_image_config_parse(to, text.text ? text.text : "", text.length, e);
}

int storage_image_read(struct storage_image *to, const struct store *store, const char *digest,
		       struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = read_manifest(&image.manifest, store, digest, e);
	if (r == 0)
		r = read_config(&image.config, store, image.manifest.config.digest, e);
	if (r == 0)
		r = oci_image_check_layers(&image.manifest, &image.config, e);
	if (r < 0) {
		err_hint(e, "pull or load the image again");
		return err_add(e, "image %.19s", digest);
	}
	image.digest = mem_text(digest);
	*to = image;
	image = (struct storage_image){ 0 };
	return 0;
}

int storage_image_check_layers(const struct storage_image *image, const struct store *store,
			       struct err *e)
{
	const struct strv *layers = &image->config.rootfs.diff_ids;

	for (size_t i = 0; i < layers->count; i++)
		if (!storage_layer_exists(store, layers->items[i])) {
			err_set(e, ERR_NOT_FOUND, "its layer %.19s is not in the store",
				layers->items[i]);
			return err_hint(e, "pull or load the image again");
		}
	return 0;
}

bool storage_image_layer_waits(const struct storage_image *image, const struct store *store,
			       size_t index)
{
	const struct oci_descriptor *blob = &image->manifest.layers.items[index];
	const char *diff_id = image->config.rootfs.diff_ids.items[index];

	/* commit does not compress */
	return !storage_layer_exists(store, diff_id) && str_equal(blob->digest, diff_id) &&
	       storage_blob_exists(store, blob->digest, blob->size);
}

int storage_image_layer_size(const struct storage_image *image, const struct store *store,
			     size_t index, uint64_t *ret, struct err *e)
{
	own_clear(layer_facts_clear) struct layer_facts facts = { 0 };
	const char *diff_id = image->config.rootfs.diff_ids.items[index];

	/* not unpacked yet: as much as its archive, near enough */
	if (!storage_layer_exists(store, diff_id)) {
		*ret = (uint64_t)image->manifest.layers.items[index].size;
		return 0;
	}
	int r = storage_layer_facts(store, diff_id, &facts, e);
	if (r == 0)
		*ret = facts.size;
	return r;
}

int storage_image_size(const struct storage_image *image, const struct store *store, uint64_t *ret,
		       struct err *e)
{
	uint64_t size = 0;

	for (size_t i = 0; i < image->config.rootfs.diff_ids.count; i++) {
		uint64_t layer = 0;
		int r = storage_image_layer_size(image, store, i, &layer, e);
		if (r < 0)
			return r;
		size += layer;
	}
	*ret = size;
	return 0;
}

void storage_image_touch(const struct store *store, const char *digest)
{
	static const struct timespec now[2] = { { 0, UTIME_OMIT }, { 0, UTIME_NOW } };
	struct blob_path path;
	struct err ignored;

	if (storage_blob_path(&path, digest, &ignored) == 0)
		utimensat(store->root_fd, path.text, now, AT_SYMLINK_NOFOLLOW);
}

int64_t storage_image_used_ns(const struct store *store, const char *digest)
{
	struct blob_path path;
	struct err ignored;
	struct stat st;

	if (storage_blob_path(&path, digest, &ignored) < 0 ||
	    fstatat(store->root_fd, path.text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}
