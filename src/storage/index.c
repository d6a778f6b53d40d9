#include "storage/index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/blob_path.h"
#include "storage/image.h"
#include "storage/store.h"

#define INDEX_PATH        "images/index.json"
#define INDEX_TEMPORARY   "images/index.json~"
#define INDEX_COPY        "images/index.copy.json"
#define ANNOTATION_ID     "org.holm.image.id"
#define ANNOTATION_SOURCE "org.holm.image.source"

static void entry_clear(struct storage_entry *entry)
{
	free(entry->reference);
	free(entry->digest);
	free(entry->media_type);
	free(entry->id);
	free(entry->source);
	*entry = (struct storage_entry){ 0 };
}

void storage_index_clear(struct storage_index *index)
{
	for (size_t i = 0; i < index->entries.count; i++)
		entry_clear(&index->entries.items[i]);
	free(index->entries.items);
	*index = (struct storage_index){ 0 };
}

/* ---- reading and writing ---- */

static void entry_read(struct storage_entry *to, const struct oci_descriptor *from)
{
	to->reference = mem_text(shape_map_get(&from->annotations, OCI_ANNOTATION_REF_NAME));
	to->id = mem_text(shape_map_get(&from->annotations, ANNOTATION_ID));
	to->source = mem_text(shape_map_get(&from->annotations, ANNOTATION_SOURCE));
	to->digest = mem_text(from->digest);
	to->media_type = mem_text(from->media_type);
	to->size = from->size;
}

static int read_file(struct storage_index *to, const struct store *store, const char *path,
		     struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_index_clear) struct oci_index document = { 0 };

	int r = fd_read_file_at(store->root_fd, path, OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = oci_index_parse(&document, text.text ? text.text : "", text.length, e);
	if (r < 0)
		return err_add(e, "%s/%s", store->root, path);
	for (size_t i = 0; i < document.manifests.count; i++)
		entry_read(shape_list_add(&to->entries), &document.manifests.items[i]);
	return 0;
}

int storage_index_read(struct storage_index *to, const struct store *store, struct err *e)
{
	return read_file(to, store, INDEX_PATH, e);
}

static void entry_write(struct oci_descriptor *to, const struct storage_entry *from)
{
	to->media_type = mem_text(from->media_type ? from->media_type : OCI_MEDIA_MANIFEST);
	to->digest = mem_text(from->digest);
	to->size = from->size;
	if (from->reference)
		shape_map_set(&to->annotations, OCI_ANNOTATION_REF_NAME, from->reference);
	if (from->id)
		shape_map_set(&to->annotations, ANNOTATION_ID, from->id);
	if (from->source)
		shape_map_set(&to->annotations, ANNOTATION_SOURCE, from->source);
}

/* Durable: an image whose pull was reported must be there after a power loss. */
static int replace_file(const struct store *store, const char *text, struct err *e)
{
	own_fd int fd = openat(store->root_fd, INDEX_TEMPORARY,
			       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_sys(e, "create " INDEX_TEMPORARY);
	int r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(store->root_fd, INDEX_TEMPORARY, store->root_fd, INDEX_PATH) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(store->root_fd, INDEX_TEMPORARY, 0);
		return err_number(e, -r, "write " INDEX_PATH);
	}
	return store_sync_folder(store, "images", e);
}

/* For storage_index_rebuild(): names are nowhere else. Bytes of its own, so that what damages the
 * one spares the other; without fsync, and without it nothing fails. */
static void keep_copy(const struct store *store, const char *text)
{
	struct err e;

	if (fd_write_file_at(store->root_fd, INDEX_COPY, text, strlen(text), 0644, &e) < 0)
		log_debug("%s", e.text);
}

static int index_write(const struct store *store, const struct storage_index *index, struct err *e)
{
	own_clear(oci_index_clear) struct oci_index document = { .schema_version = 2 };

	if (index->entries.count > OCI_IMAGE_INDEX_MAX)
		return err_set(e, ERR_NO_SPACE, "the store holds %d images, which is the limit",
			       OCI_IMAGE_INDEX_MAX);
	document.media_type = mem_text(OCI_MEDIA_INDEX);
	for (size_t i = 0; i < index->entries.count; i++)
		entry_write(shape_list_add(&document.manifests), &index->entries.items[i]);
	own_json struct json_object *object = shape_write(&oci_index_shape, &document);
	const char *text = json_text(object);
	int r = replace_file(store, text, e);
	if (r == 0)
		keep_copy(store, text);
	return r;
}

/* ---- finding ---- */

static const struct storage_entry *find_by_digest(const struct storage_index *index,
						  const char *reference, const char *at)
{
	size_t name = (size_t)(at - reference);

	for (size_t i = 0; i < index->entries.count; i++) {
		const struct storage_entry *entry = &index->entries.items[i];
		const char *own = entry->reference;
		if (!own || strncmp(own, reference, name) != 0 ||
		    (own[name] != ':' && own[name] != '@'))
			continue;
		if (str_equal(entry->digest, at + 1) || str_equal(entry->source, at + 1))
			return entry;
	}
	return NULL;
}

const struct storage_entry *storage_index_find(const struct storage_index *index,
					       const char *reference)
{
	const char *at = strchr(reference, '@');

	for (size_t i = 0; i < index->entries.count; i++)
		if (str_equal(index->entries.items[i].reference, reference))
			return &index->entries.items[i];
	return at ? find_by_digest(index, reference, at) : NULL;
}

static bool has_prefix(const char *digest, const char *prefix)
{
	const char *hex = digest ? oci_digest_hex(digest) : NULL;
	return hex && str_starts(hex, prefix);
}

int storage_index_find_id(const struct storage_index *index, const char *prefix,
			  const struct storage_entry **ret, struct err *e)
{
	const char *hex = str_starts(prefix, "sha256:") ? prefix + strlen("sha256:") : prefix;
	const struct storage_entry *found = NULL;

	if (*hex && strspn(hex, "0123456789abcdef") == strlen(hex))
		for (size_t i = 0; i < index->entries.count; i++) {
			const struct storage_entry *entry = &index->entries.items[i];
			if (!has_prefix(entry->id, hex) && !has_prefix(entry->digest, hex))
				continue;
			if (found && !str_equal(found->id, entry->id))
				return err_set(e, ERR_INVALID, "%s fits several images", prefix);
			found = found ? found : entry;
		}
	*ret = found;
	return 0;
}

/* ---- changing ---- */

static void remove_entry(struct storage_index *index, size_t at)
{
	struct storage_entry *items = index->entries.items;

	entry_clear(&items[at]);
	index->entries.count--;
	memmove(&items[at], &items[at + 1], (index->entries.count - at) * sizeof(*items));
}

static size_t count_of(const struct storage_index *index, const char *digest)
{
	size_t count = 0;

	for (size_t i = 0; i < index->entries.count; i++)
		count += str_equal(index->entries.items[i].digest, digest);
	return count;
}

/* Takes reference (NULL: none) from whatever image has it; the image stays. */
static void free_reference(struct storage_index *index, const char *reference)
{
	for (size_t i = 0; reference && i < index->entries.count; i++) {
		struct storage_entry *entry = &index->entries.items[i];
		if (!str_equal(entry->reference, reference))
			continue;
		if (count_of(index, entry->digest) > 1)
			remove_entry(index, i);
		else
			mem_replace(&entry->reference, NULL);
		return;
	}
}

static void put(struct storage_index *index, const struct storage_entry *entry)
{
	/* a dangling entry of the same image is what gets the name */
	for (size_t i = 0; i < index->entries.count; i++)
		if (str_equal(index->entries.items[i].digest, entry->digest) &&
		    !index->entries.items[i].reference) {
			remove_entry(index, i);
			break;
		}
	if (!entry->reference && count_of(index, entry->digest))
		return;
	struct storage_entry *to = shape_list_add(&index->entries);
	to->reference = mem_text(entry->reference);
	to->digest = mem_text(entry->digest);
	to->media_type = mem_text(entry->media_type);
	to->id = mem_text(entry->id);
	to->source = mem_text(entry->source);
	to->size = entry->size;
}

int storage_index_add(const struct store *store, const struct storage_entry *entry, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	own_fd int lock = store_lock_images(store, e);
	if (lock < 0)
		return lock;
	int r = storage_index_read(&index, store, e);
	if (r < 0)
		return r;
	free_reference(&index, entry->reference);
	put(&index, entry);
	return index_write(store, &index, e);
}

int storage_index_tag(const struct store *store, const char *digest, const char *reference,
		      struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	own_fd int lock = store_lock_images(store, e);
	if (lock < 0)
		return lock;
	int r = storage_index_read(&index, store, e);
	if (r < 0)
		return r;
	size_t at = 0;
	while (at < index.entries.count && !str_equal(index.entries.items[at].digest, digest))
		at++;
	if (at == index.entries.count)
		return err_set(e, ERR_NOT_FOUND, "no image %s", digest);

	struct storage_entry named = index.entries.items[at];
	own_free char *own_digest = mem_text(named.digest);
	own_free char *type = mem_text(named.media_type);
	own_free char *id = mem_text(named.id);
	own_free char *source = mem_text(named.source);
	named.reference = (char *)reference;
	named.digest = own_digest;
	named.media_type = type;
	named.id = id;
	named.source = source;
	free_reference(&index, reference);
	put(&index, &named);
	return index_write(store, &index, e);
}

int storage_index_untag(const struct store *store, const char *reference, bool keep, size_t *left,
			struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	own_fd int lock = store_lock_images(store, e);
	if (lock < 0)
		return lock;
	int r = storage_index_read(&index, store, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.entries.count; i++) {
		if (!str_equal(index.entries.items[i].reference, reference))
			continue;
		own_free char *digest = mem_text(index.entries.items[i].digest);
		if (keep && count_of(&index, digest) == 1)
			mem_replace(&index.entries.items[i].reference, NULL);
		else
			remove_entry(&index, i);
		*left = count_of(&index, digest);
		return index_write(store, &index, e);
	}
	return err_set(e, ERR_NOT_FOUND, "no image is called %s", reference);
}

int storage_index_remove(const struct store *store, const char *digest, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	own_fd int lock = store_lock_images(store, e);
	if (lock < 0)
		return lock;
	int r = storage_index_read(&index, store, e);
	if (r < 0)
		return r;
	if (!count_of(&index, digest))
		return err_set(e, ERR_NOT_FOUND, "no image %s", digest);
	for (size_t i = index.entries.count; i-- > 0;)
		if (str_equal(index.entries.items[i].digest, digest))
			remove_entry(&index, i);
	return index_write(store, &index, e);
}

/* ---- mending ---- */

/* 1 if it had to be added. */
static int add_found(struct storage_index *to, const struct store *store, const char *digest)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct err no_image;

	if (count_of(to, digest) || storage_image_read(&image, store, digest, &no_image) < 0)
		return 0;
	struct storage_entry *entry = shape_list_add(&to->entries);
	*entry = (struct storage_entry){ 0 };
	entry->digest = mem_text(digest);
	entry->media_type = mem_text(image.manifest.media_type);
	entry->id = mem_text(image.manifest.config.digest);
	own_fd int fd = storage_blob_open(store, digest, &entry->size, &no_image);
	return 1;
}

/* Every blob that is the manifest of an image. */
static int add_blobs(struct storage_index *to, const struct store *store, struct err *e)
{
	int fd = openat(store->root_fd, BLOB_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *file;
	struct stat st;

	if (!dir)
		return err_sys(e, "open " BLOB_FOLDER);
	while ((file = readdir(dir))) {
		own_free char *digest = mem_format("sha256:%s", file->d_name);
		if (*file->d_name != '.' && fstatat(fd, file->d_name, &st, 0) == 0 &&
		    st.st_size <= OCI_IMAGE_MANIFEST_MAX)
			add_found(to, store, digest);
	}
	return 0;
}

int storage_index_rebuild(const struct store *store, size_t *ret_count, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index copy = { 0 }, index = { 0 };
	struct err unreadable;

	own_fd int lock = store_lock_images(store, e);
	if (lock < 0)
		return lock;
	if (read_file(&copy, store, INDEX_COPY, &unreadable) == 0)
		for (size_t i = 0; i < copy.entries.count; i++)
			put(&index, &copy.entries.items[i]);
	int r = add_blobs(&index, store, e);
	if (r == 0)
		r = index_write(store, &index, e);
	if (r == 0)
		*ret_count = index.entries.count;
	return r;
}

bool storage_index_is_lost(const struct store *store)
{
	own_clear(storage_index_clear) struct storage_index copy = { 0 };
	struct err ignored;

	return faccessat(store->root_fd, INDEX_PATH, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       read_file(&copy, store, INDEX_COPY, &ignored) == 0 && copy.entries.count > 0;
}
