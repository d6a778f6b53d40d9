/* Manifest, index and config from the same bytes: whatever is taken has digests and sizes in
 * bounds, is not two documents at once, and is taken again after it was written back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "oci/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_descriptor(const struct oci_descriptor *d)
{
	assert(oci_digest_is_valid(d->digest));
	assert(strlen(oci_digest_hex(d->digest)) == DIGEST_HEX_LENGTH);
	assert(d->size >= 0 && d->size <= OCI_IMAGE_BLOB_MAX);
}

static void check_manifest(const struct oci_manifest *manifest)
{
	struct oci_manifest again = { 0 };
	struct err e;
	own_json struct json_object *object = shape_write(&oci_manifest_shape, manifest);
	const char *text = json_text(object);

	check_descriptor(&manifest->config);
	for (size_t i = 0; i < manifest->layers.count; i++)
		check_descriptor(&manifest->layers.items[i]);
	assert(manifest->layers.count <= OCI_IMAGE_LAYERS_MAX);
	if (strlen(text) <= OCI_IMAGE_MANIFEST_MAX) {
		assert(oci_manifest_parse(&again, text, strlen(text), &e) == 0);
		oci_manifest_clear(&again);
	}
}

static void check_index(const struct oci_index *index)
{
	struct oci_platform host = { 0 };
	struct err e;

	for (size_t i = 0; i < index->manifests.count; i++)
		check_descriptor(&index->manifests.items[i]);
	oci_platform_host(&host);
	assert(oci_index_choose(index, &host, &e) < (int)index->manifests.count);
	oci_platform_clear(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct oci_manifest manifest = { 0 };
	struct oci_index index = { 0 };
	struct oci_image_config config = { 0 };
	enum oci_document kind;
	struct err e;

	int is_manifest = oci_manifest_parse(&manifest, text, length, &e) == 0;
	int is_index = oci_index_parse(&index, text, length, &e) == 0;
	assert(!(is_manifest && is_index));
	if (is_manifest || is_index)
		assert(oci_image_detect(text, length, NULL, &kind, &e) == 0);
	if (is_manifest)
		check_manifest(&manifest);
	if (is_index)
		check_index(&index);
	if (oci_image_config_parse(&config, text, length, &e) == 0)
		for (size_t i = 0; i < config.rootfs.diff_ids.count; i++)
			assert(oci_digest_is_valid(config.rootfs.diff_ids.items[i]));
	oci_manifest_clear(&manifest);
	oci_index_clear(&index);
	oci_image_config_clear(&config);
	return 0;
}
