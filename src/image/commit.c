#include "image/commit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/stored.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/image.h"
#include "storage/layer.h"
#include "storage/pack.h"
#include "storage/store.h"

struct commit {
	const struct image_invocation *invocation;
	const struct store *store;
	struct oci_image_config config;
	struct oci_manifest manifest;
};

static void commit_clear(struct commit *commit)
{
	oci_image_config_clear(&commit->config);
	oci_manifest_clear(&commit->manifest);
}

/* ---- what is there ---- */

static int read_config(struct commit *commit, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = NULL;

	int r = fd_read_all(commit->invocation->request_fd, OCI_IMAGE_CONFIG_MAX, &text, e);
	if (r == 0)
		r = json_parse(&object, text.text ? text.text : "", text.length, "config", e);
	return r < 0 ? r : shape_read(&oci_image_config_shape, object, &commit->config, e);
}

static int read_parent(struct commit *commit, const char *digest, struct err *e)
{
	struct storage_image parent = { 0 };

	if (!*digest)
		return 0;
	int r = storage_image_read(&parent, commit->store, digest, e);
	if (r == 0) {
		commit->manifest = parent.manifest;
		parent.manifest = (struct oci_manifest){ 0 };
	}
	storage_image_clear(&parent);
	return r;
}

/* ---- layers ---- */

static int write_blob(void *context, const void *bytes, size_t length, struct err *e)
{
	return storage_blob_write(context, bytes, length, e);
}

/* The layer's digest is its diff id: it is stored as it is, not compressed. */
static int pack(struct commit *commit, int folder_fd, const struct pack_options *options,
		struct oci_descriptor *to, struct err *e)
{
	own(storage_blob_end) struct blob_writer *blob = NULL;
	char digest[DIGEST_TEXT_SIZE];
	int64_t size = 0;

	int r = storage_blob_begin(&blob, commit->store, NULL, -1, OCI_IMAGE_BLOB_MAX, true, e);
	if (r < 0)
		return r;
	const struct byte_sink sink = { write_blob, blob };
	r = storage_pack(folder_fd, options, &sink, e);
	if (r == 0)
		r = storage_blob_commit(blob, digest, &size, e);
	if (r < 0)
		return r;
	*to = (struct oci_descriptor){
		.media_type = mem_text(OCI_MEDIA_LAYER),
		.digest = mem_text(digest),
		.size = size,
	};
	return 0;
}

/* Of an image that only its containers know any more the packed layers may be gone; the unpacked
 * ones are there, as the containers need them. */
static int pack_parent(struct commit *commit, size_t index, struct err *e)
{
	static const struct pack_options options = { .whiteouts = true };
	struct oci_descriptor *layer = &commit->manifest.layers.items[index];
	char **diff_id = &commit->config.rootfs.diff_ids.items[index];
	struct oci_descriptor packed;

	if (storage_blob_exists(commit->store, layer->digest, layer->size))
		return 0;
	own_fd int fd = storage_layer_open(commit->store, *diff_id, e);
	int r = fd < 0 ? fd : pack(commit, fd, &options, &packed, e);
	if (r < 0)
		return r;
	shape_clear(&oci_descriptor_shape, layer);
	*layer = packed;
	mem_replace(diff_id, packed.digest);
	return 0;
}

static int pack_parents(struct commit *commit, struct err *e)
{
	int r = 0;

	if (commit->manifest.layers.count != commit->config.rootfs.diff_ids.count)
		return err_set(e, ERR_INVALID, "the config is not that of the image");
	for (size_t i = 0; r == 0 && i < commit->manifest.layers.count; i++)
		r = pack_parent(commit, i, e);
	return r;
}

static int pack_own(struct commit *commit, bool whole, struct err *e)
{
	const struct image_invocation *invocation = commit->invocation;
	const struct pack_options options = {
		.whiteouts = !whole,
		.one_filesystem = whole,
		.ids = &invocation->ids,
		.left_out = (const char *const *)invocation->left_out.items,
	};
	struct oci_descriptor layer;

	int r = pack(commit, invocation->folder_fd, &options, &layer, e);
	if (r < 0)
		return r;
	*shape_list_add(&commit->manifest.layers) = layer; /* the manifest's now */
	strv_add(&commit->config.rootfs.diff_ids, layer.digest);
	return 0;
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

/* In OCI's types, whichever the parent has. */
static int put_documents(struct commit *commit, char digest[DIGEST_TEXT_SIZE], struct err *e)
{
	struct oci_manifest *manifest = &commit->manifest;
	int64_t size;

	int r = put(commit->store, &oci_image_config_shape, &commit->config, digest, &size, e);
	if (r < 0)
		return r;
	shape_clear(&oci_descriptor_shape, &manifest->config);
	manifest->config = (struct oci_descriptor){
		.media_type = mem_text(OCI_MEDIA_CONFIG),
		.digest = mem_text(digest),
		.size = size,
	};
	manifest->schema_version = 2;
	mem_replace(&manifest->media_type, OCI_MEDIA_MANIFEST);
	return put(commit->store, &oci_manifest_shape, manifest, digest, &size, e);
}

/* What was read of one that was removed meanwhile is not all of it. */
static int check_container(const struct commit *commit, const char *id, struct err *e)
{
	own_free char *path = mem_format("containers/%s", id);

	if (faccessat(commit->store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_set(e, ERR_STATE, "the container was removed meanwhile");
}

static int commit_locked(struct commit *commit, char *const *operands, struct err *e)
{
	const struct image_stored stored = { commit->store, commit->invocation->report };
	char digest[DIGEST_TEXT_SIZE];

	int r = image_jail_enter(commit->store, e);
	if (r == 0)
		r = read_config(commit, e);
	if (r == 0)
		r = read_parent(commit, operands[1], e);
	if (r == 0)
		r = pack_parents(commit, e);
	if (r == 0)
		r = pack_own(commit, !*operands[1], e);
	if (r == 0)
		r = put_documents(commit, digest, e);
	if (r == 0)
		r = check_container(commit, operands[0], e);
	return r < 0 ? r : image_stored_name(&stored, digest, operands[2], e);
}

int image_commit_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(commit_clear) struct commit commit = {
		.invocation = invocation,
		.store = invocation->store,
	};

	if (invocation->count < 2 || invocation->count > 3 || invocation->folder_fd < 0 ||
	    invocation->request_fd < 0)
		return err_set(e, ERR_INVALID, "commit takes a container, an image, two files");
	own_fd int lock = store_lock_layers_shared(commit.store, e);
	if (lock < 0)
		return lock;
	int r = commit_locked(&commit, invocation->operands, e);
	close(take_fd(&lock));
	if (r < 0)
		image_stored_clean_up(commit.store);
	return r;
}
