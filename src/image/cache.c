#include "image/cache.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/allow.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layers.h"
#include "image/members.h"
#include "image/pull.h"
#include "image/reference.h"
#include "image/report.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/image.h"
#include "storage/store.h"

int image_cache_choose(struct oci_manifest *manifest, struct oci_image_config *config,
		       const char *key, struct err *e)
{
	struct strv *ids = &config->rootfs.diff_ids;
	size_t count = manifest->layers.count, chosen = 0;

	while (chosen < count &&
	       !str_equal(
		       shape_map_get(&manifest->layers.items[chosen].annotations, IMAGE_CACHE_KEY),
		       key))
		chosen++;
	if (chosen == count || chosen >= ids->count)
		return err_set(e, ERR_NOT_FOUND, "it has no layer for step %.19s", key);
	char *id = ids->items[0];
	ids->items[0] = ids->items[chosen];
	ids->items[chosen] = id;
	while (ids->count > 1)
		strv_remove(ids, ids->count - 1);
	struct oci_descriptor layer = manifest->layers.items[0];
	manifest->layers.items[0] = manifest->layers.items[chosen];
	manifest->layers.items[chosen] = layer;
	while (manifest->layers.count > 1)
		shape_clear(&oci_descriptor_shape,
			    &manifest->layers.items[--manifest->layers.count]);
	return 0;
}

/* ---- a folder ---- */

static char *blob_name(const struct oci_descriptor *d)
{
	return mem_format("blobs/sha256/%s", oci_digest_hex(d->digest));
}

static int store_blob(struct image_members *members, const struct oci_descriptor *d, struct err *e)
{
	own_free char *name = blob_name(d);

	return image_members_store(members, name, d->digest, d->size, NULL, NULL, e);
}

/* It stays where it is until it is unpacked. */
static int promise_layer(struct image_members *members, const struct oci_descriptor *d,
			 struct err *e)
{
	own_free char *name = blob_name(d);

	if (!oci_image_is_layer(d->media_type))
		return err_set(e, ERR_UNSUPPORTED, "a layer is '%.100s'", d->media_type);
	return image_members_promise(members, name, d->digest, d->size, e);
}

static int read_index(struct oci_index *to, struct image_members *members, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = image_members_read(members, "index.json", OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = oci_index_parse(to, text.text ? text.text : "", text.length, e);
	if (r == 0 && (!to->manifests.count ||
		       !str_equal(to->manifests.items[0].media_type, OCI_MEDIA_MANIFEST)))
		r = err_set(e, ERR_UNSUPPORTED, "its index.json leads to no image");
	return r;
}

static int bring_documents(const struct image_invocation *invocation, struct image_members *members,
			   struct err *e)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	const struct store *store = invocation->store;

	int r = read_index(&index, members, e);
	if (r < 0)
		return r;
	const struct oci_descriptor *d = &index.manifests.items[0];
	if (d->size > OCI_IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "a manifest of %lld bytes", (long long)d->size);
	r = store_blob(members, d, e);
	if (r == 0)
		r = storage_blob_read_verified(store, d->digest, OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = oci_manifest_parse(&manifest, text.text ? text.text : "", text.length, e);
	if (r == 0 && manifest.config.size > OCI_IMAGE_CONFIG_MAX)
		r = err_set(e, ERR_CORRUPT, "a config of %lld bytes",
			    (long long)manifest.config.size);
	if (r == 0)
		r = store_blob(members, &manifest.config, e);
	if (r == 0)
		image_report_image(invocation->report, d->digest, NULL, IMAGE_STATE_NEW);
	return r;
}

static int bring_layer(const struct image_invocation *invocation, struct image_members *members,
		       struct err *e)
{
	struct storage_image image = { 0 };
	const struct image_layers layers = {
		.store = invocation->store,
		.report = invocation->report,
		.members = members,
	};

	int r = storage_image_read(&image, invocation->store, invocation->operands[1], e);
	if (r == 0)
		r = image_cache_choose(&image.manifest, &image.config, invocation->operands[2], e);
	if (r == 0)
		r = promise_layer(members, &image.manifest.layers.items[0], e);
	if (r == 0)
		r = image_layers_bring(&layers, &image.manifest, &image.config, e);
	storage_image_clear(&image);
	return r;
}

static int from_folder(const struct image_invocation *invocation, const char *path, struct err *e)
{
	own(image_members_free) struct image_members *members = NULL;

	int r = image_allow_path("oci", path, NULL, e);
	own_fd int lock = r < 0 ? -1 : store_lock_layers_shared(invocation->store, e);
	if (lock < 0)
		return r < 0 ? r : lock;
	r = image_jail_enter(invocation->store, e);
	if (r == 0)
		r = image_members_folder(&members, invocation->store, path, e);
	if (r < 0)
		return r;
	return invocation->count == 1 ? bring_documents(invocation, members, e)
				      : bring_layer(invocation, members, e);
}

/* ---- a registry ---- */

static int from_registry(const struct image_invocation *invocation, const char *name, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_free char *exact = NULL;
	struct image_pull pull = {
		.store = invocation->store,
		.report = invocation->report,
		.platform = &invocation->platform,
		.access = &invocation->access,
		.documents = invocation->count == 1,
	};

	if (invocation->count == 3) {
		int r = image_reference_parse(&ref, name, e);
		if (r < 0)
			return r;
		own_free char *repository = image_reference_name(&ref);
		exact = mem_format("%s@%s", repository, invocation->operands[1]);
		pull.key = invocation->operands[2];
	}
	return image_pull(&pull, exact ? exact : name, e);
}

int image_cache_verb(const struct image_invocation *invocation, struct err *e)
{
	static const char local[] = "local:";
	const char *source = invocation->operands[0];

	if (invocation->count != 1 && invocation->count != 3)
		return err_set(e, ERR_INVALID, "expected a source, and perhaps a digest and a key");
	if (str_starts(source, local))
		return from_folder(invocation, source + strlen(local), e);
	return from_registry(invocation, source, e);
}
