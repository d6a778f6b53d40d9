#include "image/foreign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "image/decompress.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layer.h"
#include "image/load_format.h"
#include "image/read.h"
#include "image/report.h"
#include "image/ring.h"
#include "image/stored.h"
#include "image/tar_split.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/pack.h"
#include "storage/store.h"
#include "storage/volume.h"

/* Headers of many small files are packed well beyond what a bomb's ratio is. */
enum { SPLIT_RATIO_MAX = 1100, RING_BYTES = 4 << 20 };

/* ---- for the readers ---- */

struct foreign_image *image_foreign_add(struct foreign_images *to, const char *id)
{
	struct foreign_image *image = shape_list_add(&to->items);

	*image = (struct foreign_image){ .id = mem_text(id) };
	image->config = mem_new_struct(struct str);
	return image;
}

static void images_clear(struct foreign_images *images)
{
	for (size_t i = 0; i < images->items.count; i++) {
		struct foreign_image *image = &images->items.items[i];
		for (size_t k = 0; k < image->layers.count; k++) {
			free(image->layers.items[k].diff_id);
			free(image->layers.items[k].files);
			free(image->layers.items[k].split);
		}
		free(image->layers.items);
		free(image->id);
		strv_clear(&image->names);
		str_clear(image->config);
		free(image->config);
		free(image->failure);
	}
	free(images->items.items);
}

int image_foreign_read(int root_fd, const char *path, size_t bytes_max, struct str *to,
		       struct err *e)
{
	own_fd int fd = path_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0, e);

	if (fd < 0)
		return fd;
	int r = fd_read_all(fd, bytes_max, to, e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}

int image_foreign_diff_ids(const struct foreign_image *image, struct strv *to, struct err *e)
{
	own_clear(oci_image_config_clear) struct oci_image_config config = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	const char *text = image->config->text ? image->config->text : "";

	storage_hash_bytes(text, image->config->length, digest);
	if (strcmp(digest, image->id) != 0)
		return err_set(e, ERR_CORRUPT, "its config has digest %.19s", digest);
	int r = oci_image_config_parse(&config, text, image->config->length, e);
	if (r == 0 && config.rootfs.diff_ids.count > OCI_IMAGE_LAYERS_MAX)
		r = err_set(e, ERR_CORRUPT, "more than %d layers", OCI_IMAGE_LAYERS_MAX);
	for (size_t i = 0; r == 0 && i < config.rootfs.diff_ids.count; i++) {
		r = oci_digest_check(config.rootfs.diff_ids.items[i], "layer", e);
		strv_add(to, config.rootfs.diff_ids.items[i]);
	}
	return r;
}

/* ---- layers ---- */

static int copy_blob(const struct byte_source *tar, struct blob_writer *writer, struct err *e)
{
	const void *block;
	ssize_t n;

	while ((n = tar->next(tar->context, &block, e)) > 0) {
		int r = storage_blob_write(writer, block, (size_t)n, e);
		if (r < 0)
			return r;
	}
	return n < 0 ? (int)n : storage_blob_commit(writer, NULL, NULL, e);
}

/* The tar it came from becomes a blob, whose digest is the layer's diff id. */
static int take_layer(const struct image_invocation *invocation, int root_fd,
		      const struct foreign_layer *layer, struct err *e)
{
	own(storage_blob_end) struct blob_writer *writer = NULL;

	int r = storage_blob_begin(&writer, invocation->store, layer->diff_id, -1,
				   OCI_IMAGE_BLOB_MAX, true, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = storage_blob_restart(writer, e);
	if (r < 0)
		return r;
	own_fd int files = path_open(root_fd, layer->files, O_RDONLY | O_DIRECTORY, 0, e);
	own_fd int split =
		files < 0 ? -1 : path_open(root_fd, layer->split, O_RDONLY | O_NONBLOCK, 0, e);
	if (split < 0)
		return -e->number;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(split, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	own(image_decompress_free) struct image_decompress *inflated =
		image_decompress_new(&packed, SPLIT_RATIO_MAX);
	struct byte_source lines = image_decompress_source(inflated);
	own(image_tar_split_free) struct image_tar_split *whole =
		image_tar_split_new(&lines, files);
	struct byte_source tar = image_tar_split_source(whole);
	return copy_blob(&tar, writer, e);
}

/* ---- images ---- */

static int put_manifest(const struct image_invocation *invocation,
			const struct foreign_image *image, char *digest, struct err *e)
{
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { .schema_version = 2 };

	manifest.media_type = mem_text(OCI_MEDIA_MANIFEST);
	manifest.config.media_type = mem_text(OCI_MEDIA_CONFIG);
	manifest.config.digest = mem_text(image->id);
	manifest.config.size = (int64_t)image->config->length;
	for (size_t i = 0; i < image->layers.count; i++) {
		struct oci_descriptor *layer = shape_list_add(&manifest.layers);
		*layer = (struct oci_descriptor){ 0 };
		layer->media_type = mem_text(OCI_MEDIA_LAYER);
		layer->digest = mem_text(image->layers.items[i].diff_id);
		own_fd int fd =
			storage_blob_open(invocation->store, layer->digest, &layer->size, e);
		if (fd < 0)
			return fd;
	}
	own_json struct json_object *object = shape_write(&oci_manifest_shape, &manifest);
	const char *text = json_text(object);
	return storage_blob_put(invocation->store, text, strlen(text), digest, e);
}

static int name_image(const struct image_invocation *invocation, const struct foreign_image *image,
		      const char *digest, struct err *e)
{
	struct image_stored stored = { invocation->store, invocation->report };
	size_t named = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->names.count; i++) {
		own_free char *reference = image_load_reference(image->names.items[i]);
		if (!reference)
			continue;
		r = image_stored_finish(&stored, digest, reference, e);
		named++;
	}
	return r == 0 && !named ? image_stored_finish(&stored, digest, NULL, e) : r;
}

static int take_image(const struct image_invocation *invocation, int root_fd,
		      const struct foreign_image *image, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];
	int r = 0;

	if (image->failure) {
		*e = *image->failure;
		return -e->number;
	}
	for (size_t i = 0; r == 0 && i < image->layers.count; i++) {
		r = take_layer(invocation, root_fd, &image->layers.items[i], e);
		if (r < 0)
			err_add(e, "layer %zu", i + 1);
	}
	if (r == 0)
		r = storage_blob_put(invocation->store, image->config->text, image->config->length,
				     digest, e);
	if (r == 0)
		r = put_manifest(invocation, image, digest, e);
	return r < 0 ? r : name_image(invocation, image, digest, e);
}

static void note_failure(const struct image_invocation *invocation, const char *what,
			 const char *name, const struct err *why, size_t *failed)
{
	image_report_note(invocation->report, "%s %.100s: %s", what, name, why->text);
	++*failed;
}

static int take_images(const struct image_invocation *invocation, int root_fd, size_t *failed,
		       struct err *e)
{
	own_clear(images_clear) struct foreign_images images = { 0 };
	bool docker = strcmp(invocation->operands[0], "docker") == 0;

	int r = docker ? image_foreign_docker(root_fd, &images, e)
		       : image_foreign_podman(root_fd, &images, e);
	for (size_t i = 0; r == 0 && i < images.items.count; i++) {
		const struct foreign_image *image = &images.items.items[i];
		struct err why;
		if (take_image(invocation, root_fd, image, &why) < 0)
			note_failure(invocation, "Image",
				     image->names.count ? image->names.items[0] : image->id, &why,
				     failed);
	}
	return r;
}

/* ---- volumes ---- */

struct packing {
	int folder_fd;
	struct image_ring *ring;
};

static int ring_write(void *context, const void *bytes, size_t length, struct err *e)
{
	int r = image_ring_write(context, bytes, length);

	return r < 0 ? err_number(e, -r, "pass the bytes on") : 0;
}

static void *pack_thread(void *argument)
{
	static const struct pack_options options = { .plain_names = true, .one_filesystem = true };
	const struct packing *job = argument;
	struct byte_sink sink = { ring_write, job->ring };
	struct err e;

	int r = storage_pack(job->folder_fd, &options, &sink, &e);
	image_ring_finish(job->ring, r < 0 ? &e : NULL);
	return NULL;
}

static int copy_tree(int from, int to, struct err *e)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(RING_BYTES);
	struct packing job = { from, ring };
	const struct unpack_limits limits = { .plain_names = true };
	struct byte_source source = image_ring_source(ring);
	struct unpack_result result;
	pthread_t thread;

	int number = pthread_create(&thread, NULL, pack_thread, &job);
	if (number)
		return err_number(e, number, "start a thread");
	int r = storage_unpack(to, &source, &limits, &result, e);
	image_ring_leave(ring);
	pthread_join(thread, NULL);
	return r;
}

static int take_volume(const struct image_invocation *invocation, int volumes_fd, const char *name,
		       struct err *e)
{
	own_free char *path = mem_format("%s/_data", name);
	const struct storage_volume volume = { .name = (char *)name };
	struct err ignored;

	own_fd int from = path_open(volumes_fd, path, O_RDONLY | O_DIRECTORY, 0, e);
	if (from < 0)
		return from;
	int r = storage_volume_create(invocation->store, &volume, e);
	if (r != 0)
		return r < 0 ? r : err_set(e, ERR_EXISTS, "a volume of this name is here already");
	own_fd int to = storage_volume_open(invocation->store, name, e);
	r = to < 0 ? to : copy_tree(from, to, e);
	if (r < 0)
		storage_volume_remove(invocation->store, name, NULL, &ignored);
	else
		image_report_note(invocation->report, "Volume %s", name);
	return r;
}

/* Both keep them in the same way: volumes/NAME/_data. What else they know of them lies in databases
 * of their own, which are not read: labels and options do not come along. */
static int take_volumes(const struct image_invocation *invocation, int root_fd, size_t *failed,
			struct err *e)
{
	int fd = path_try_open(root_fd, "volumes", O_RDONLY | O_DIRECTORY, 0);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct err why;

	if (fd == -ENOENT)
		return 0;
	if (!dir)
		return err_set(e, ERR_SYSTEM, "volumes cannot be listed");
	while ((entry = readdir(dir))) {
		if (storage_volume_check_name(entry->d_name, &why) < 0 || entry->d_type == DT_REG ||
		    entry->d_type == DT_BLK)
			continue;
		if (take_volume(invocation, fd, entry->d_name, &why) < 0)
			note_failure(invocation, "Volume", entry->d_name, &why, failed);
	}
	return 0;
}

/* ---- the verb ---- */

static int take_all(const struct image_invocation *invocation, int root_fd, struct err *e)
{
	const char *what = invocation->operands[2];
	size_t failed = 0;
	int r = 0;

	if (strcmp(what, "volumes") != 0)
		r = take_images(invocation, root_fd, &failed, e);
	if (r == 0 && strcmp(what, "images") != 0)
		r = take_volumes(invocation, root_fd, &failed, e);
	if (r == 0 && failed)
		r = err_set(e, ERR_CORRUPT, "%zu could not be taken; see above", failed);
	return r;
}

int image_foreign_verb(const struct image_invocation *invocation, struct err *e)
{
	if (invocation->count != 3)
		return err_set(e, ERR_INVALID, "expected docker or podman, a folder, and what");
	const char *path = invocation->operands[1];
	own_fd int root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(e, "open %s", path);
	own_fd int lock = store_lock_layers_shared(invocation->store, e);
	if (lock < 0)
		return lock;
	int r = image_jail_enter(invocation->store, e);
	if (r == 0)
		r = take_all(invocation, root_fd, e);
	if (r < 0) {
		close(take_fd(&lock));
		image_stored_clean_up(invocation->store);
		err_add(e, "%s", path);
	}
	return r;
}
