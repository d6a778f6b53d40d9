#include "image/build.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "image/build_request.h"
#include "image/cache.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/packed.h"
#include "image/report.h"
#include "image/stored.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/image.h"
#include "storage/layer.h"
#include "storage/pack.h"
#include "storage/store.h"

enum { REQUEST_BYTES_MAX = 16 << 20 };

static const struct pack_options as_layer = { .whiteouts = true };

struct build {
	const struct image_invocation *invocation;
	const struct store *store;
	struct image_build_request request;
	struct oci_manifest manifest;
};

static void build_clear(struct build *build)
{
	shape_clear(&image_build_request_shape, &build->request);
	oci_manifest_clear(&build->manifest);
}

static int read_request(struct build *build, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = fd_read_all(build->invocation->request_fd, REQUEST_BYTES_MAX, &text, e);
	return r < 0 ? r
		     : shape_read_text(&image_build_request_shape, text.text ? text.text : "",
				       text.length, &build->request, e);
}

static int read_parent(struct build *build, struct err *e)
{
	struct storage_image parent = { 0 };

	if (!build->request.parent)
		return 0;
	int r = storage_image_read(&parent, build->store, build->request.parent, e);
	if (r == 0) {
		build->manifest = parent.manifest;
		parent.manifest = (struct oci_manifest){ 0 };
		shape_map_clear(&build->manifest.annotations);
		for (size_t kept = build->request.config.rootfs.diff_ids.count;
		     build->manifest.layers.count > kept;)
			shape_clear(&oci_descriptor_shape,
				    &build->manifest.layers.items[--build->manifest.layers.count]);
	}
	storage_image_clear(&parent);
	return r < 0 ? r
		     : image_packed_parents(build->store, &build->manifest, &build->request.config,
					    e);
}

/* ---- a folder becomes a layer ---- */

static int add_to_hash(void *context, const void *bytes, size_t length, struct err *e)
{
	(void)e;
	storage_hash_add(context, bytes, length);
	return 0;
}

/* What only the cache knows has a digest and no archive. */
static int digest_folder(struct oci_descriptor *ret, int fs_fd, struct err *e)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	const struct byte_sink sink = { add_to_hash, hash };
	char digest[DIGEST_TEXT_SIZE];

	int r = storage_pack(fs_fd, &as_layer, &sink, e);
	if (r < 0)
		return r;
	storage_hash_end(hash, digest);
	*ret = (struct oci_descriptor){ .digest = mem_text(digest) };
	return 0;
}

static int open_folder(struct layer_writer *to, const struct store *store, const char *name,
		       struct err *e)
{
	own_free char *path = mem_format("layers/%s", name);

	if (!path_is_name(name) || !str_starts(name, ".new-"))
		return err_set(e, ERR_INVALID, "'%s' is no folder of a build", name);
	*to = (struct layer_writer){ store, mem_text(name), -1, -1 };
	to->lock = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to->lock >= 0)
		to->fs_fd = openat(to->lock, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return to->fs_fd < 0 ? err_sys(e, "open folder %s", path) : 0;
}

static int take_folder(struct build *build, struct image_build_layer *layer,
		       struct oci_descriptor *packed, struct err *e)
{
	struct layer_writer writer = { 0 };
	int r = open_folder(&writer, build->store, layer->folder, e);

	if (r == 0)
		r = layer->in_image
			    ? image_packed_layer(packed, build->store, writer.fs_fd, &as_layer, e)
			    : digest_folder(packed, writer.fs_fd, e);
	if (r == 0) {
		const struct layer_facts facts = {
			.diff_id = packed->digest,
			.size = layer->size,
			.tar_size = (uint64_t)packed->size,
			.entries = layer->entries,
		};
		r = storage_layer_commit(&writer, &facts, e);
		mem_replace(&layer->diff_id, packed->digest);
	}
	storage_layer_end(&writer);
	return r;
}

/* One that was there: it may have been of the cache alone, or its archive collected. */
static int take_cached(struct build *build, struct image_build_layer *layer,
		       struct oci_descriptor *packed, struct err *e)
{
	int64_t size = 0;
	struct err absent;

	if (!layer->in_image)
		return 0;
	own_fd int blob = storage_blob_open(build->store, layer->diff_id, &size, &absent);
	if (blob >= 0) {
		*packed = (struct oci_descriptor){
			.media_type = mem_text(OCI_MEDIA_LAYER),
			.digest = mem_text(layer->diff_id),
			.size = size,
		};
		return 0;
	}
	own_fd int fs_fd = storage_layer_open(build->store, layer->diff_id, e);
	if (fs_fd < 0)
		return fs_fd;
	int r = image_packed_layer(packed, build->store, fs_fd, &as_layer, e);
	if (r == 0)
		mem_replace(&layer->diff_id, packed->digest);
	return r;
}

static int write_record(const struct build *build, const struct image_build_layer *layer,
			struct err *e)
{
	const char *hex = layer->key ? oci_digest_hex(layer->key) : NULL;
	char now[MOMENT_TEXT_SIZE];

	if (!hex)
		return 0;
	own_fd int folder = openat(build->store->root_fd, IMAGE_BUILD_RECORDS,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return err_sys(e, "open the cache");
	moment_format(now, moment_now_ns());
	const struct image_build_record record = {
		.layers = { (char **)&layer->diff_id, 1 },
		.size = layer->size,
		.text = layer->text,
		.created = now,
	};
	return shape_write_at(&image_build_record_shape, folder, hex, &record, e);
}

static int take_layer(struct build *build, struct image_build_layer *layer, struct err *e)
{
	struct oci_descriptor packed = { 0 };

	int r = layer->folder ? take_folder(build, layer, &packed, e)
			      : take_cached(build, layer, &packed, e);
	if (r == 0 && (layer->folder || layer->imported))
		r = write_record(build, layer, e);
	if (r == 0 && build->request.annotate && layer->in_image && layer->portable)
		shape_map_set(&packed.annotations, IMAGE_CACHE_KEY, layer->portable);
	if (r == 0 && layer->in_image) {
		*shape_list_add(&build->manifest.layers) = packed; /* the manifest's now */
		strv_add(&build->request.config.rootfs.diff_ids, packed.digest);
	} else {
		shape_clear(&oci_descriptor_shape, &packed);
	}
	return r;
}

/* ---- the image ---- */

static int make_image(struct build *build, struct err *e)
{
	const struct image_stored stored = { build->store, build->invocation->report };
	const struct image_build_request *request = &build->request;
	char digest[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < request->annotations.count; i++)
		shape_map_set(&build->manifest.annotations, request->annotations.items[i].key,
			      request->annotations.items[i].value);
	int r = image_packed_documents(build->store, &build->manifest, &request->config, false,
				       digest, e);
	if (r == 0 && request->unlisted) {
		image_report_image(stored.report, digest, NULL, IMAGE_STATE_NEW);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < request->references.count; i++)
		r = image_stored_name(&stored, digest, request->references.items[i], e);
	if (r == 0 && !request->references.count)
		r = image_stored_name(&stored, digest, NULL, e);
	return r;
}

static int build_all(struct build *build, struct err *e)
{
	int r = read_parent(build, e);

	for (size_t i = 0; r == 0 && i < build->request.layers.count; i++)
		r = take_layer(build, &build->request.layers.items[i], e);
	return r == 0 && build->request.image ? make_image(build, e) : r;
}

int image_build_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(build_clear) struct build build = {
		.invocation = invocation,
		.store = invocation->store,
	};

	if (invocation->count || invocation->request_fd < 0)
		return err_set(e, ERR_INVALID, "build takes a request and nothing else");
	own_fd int lock = store_lock_layers_shared(build.store, e);
	if (lock < 0)
		return lock;
	int r = read_request(&build, e);
	if (r == 0)
		r = image_jail_enter(build.store, e);
	return r < 0 ? r : build_all(&build, e);
}
