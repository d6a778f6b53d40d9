#include "image/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/file.h"
#include "image/find.h"
#include "image/invocation.h"
#include "image/output.h"
#include "image/read.h"
#include "image/reference.h"
#include "image/save_format.h"
#include "storage/blob.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/store.h"

int image_save_blob(const struct image_save *save, struct image_output *output, const char *digest,
		    const char *name, struct err *e)
{
	int64_t size = 0;

	if (image_output_has(output, name))
		return 0;
	own_fd int fd = storage_blob_open(save->store, digest, &size, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	return image_output_file(output, name, size, &source, e);
}

static void clear_saved(struct image_saved *saved)
{
	storage_image_clear(&saved->image);
	strv_clear(&saved->references);
	free(saved->media_type);
}

static void clear_all(struct image_saved_list *list)
{
	for (size_t i = 0; i < list->items.count; i++)
		clear_saved(&list->items.items[i]);
	free(list->items.items);
	shape_clear(&oci_descriptor_shape, &list->whole);
}

static struct image_saved *find_saved(struct image_saved_list *list, const char *digest)
{
	for (size_t i = 0; i < list->items.count; i++)
		if (str_equal(list->items.items[i].image.digest, digest))
			return &list->items.items[i];
	return NULL;
}

/* An image of the store, or that one of a list which is for the platform. */
struct found {
	struct storage_entry entry; /* borrowed, of a list from what follows */
	struct oci_index list;
	char *name;
};

static void clear_found(struct found *found)
{
	oci_index_clear(&found->list);
	free(found->name);
}

static int find_listed(struct found *ret, const struct image_save *save, const char *name,
		       struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, name, e);

	if (r < 0)
		return r;
	ret->name = image_reference_format(&ref);
	r = storage_list_read(&ret->list, save->store, ret->name, e);
	if (r == 0)
		r = oci_index_choose(&ret->list, save->platform, e);
	if (r < 0)
		return err_add(e, "%s", name);
	const struct oci_descriptor *chosen = &ret->list.manifests.items[r];
	ret->entry = (struct storage_entry){
		.reference = ret->name,
		.digest = chosen->digest,
		.media_type = chosen->media_type,
		.id = chosen->digest,
		.size = chosen->size,
	};
	return 0;
}

static int find_one(struct found *ret, const struct image_save *save,
		    const struct storage_index *index, const char *name, struct err *e)
{
	struct err none;
	int r = image_find_stored(&ret->entry, index, save->store, name, e);

	if (r == 0 || e->kind != ERR_NOT_FOUND)
		return r;
	int listed = find_listed(ret, save, name, &none);
	if (listed < 0 && ret->list.manifests.count)
		*e = none;
	return listed < 0 ? -e->number : 0;
}

/* Two names of one image are one image with two names. */
static int add_image(struct image_saved_list *list, const struct image_save *save,
		     const struct storage_index *index, const char *name, struct err *e)
{
	own_clear(clear_found) struct found found = { 0 };
	const struct storage_entry *entry = &found.entry;

	int r = find_one(&found, save, index, name, e);
	if (r < 0)
		return r;
	struct image_saved *saved = find_saved(list, entry->digest);
	if (!saved) {
		saved = shape_list_add(&list->items);
		r = storage_image_read(&saved->image, save->store, entry->digest, e);
		const char *type = saved->image.manifest.media_type;
		saved->media_type = mem_text(type ? type : entry->media_type);
		saved->size = entry->size;
	}
	if (save->as) {
		strv_add(&saved->references, save->as);
		return r;
	}
	/* who gives an id wants no name */
	bool by_name = entry->reference && !str_starts(entry->id + strlen("sha256:"), name) &&
		       !str_starts(entry->id, name);
	if (by_name && !strv_contains(&saved->references, entry->reference))
		strv_add(&saved->references, entry->reference);
	return r;
}

/* A list, and all that it names. */
static int find_whole(struct image_saved_list *list, const struct image_save *save, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	const char *digest = save->names[0];

	int r = storage_blob_read_verified(save->store, digest, OCI_IMAGE_MANIFEST_MAX, &text, e);
	if (r == 0)
		r = oci_index_parse(&index, text.text, text.length, e);
	if (r < 0)
		return r;
	list->whole.media_type = mem_text(index.media_type ? index.media_type : OCI_MEDIA_INDEX);
	list->whole.digest = mem_text(digest);
	list->whole.size = (int64_t)text.length;
	for (size_t i = 0; r == 0 && i < index.manifests.count; i++) {
		const struct oci_descriptor *d = &index.manifests.items[i];
		struct image_saved *saved = shape_list_add(&list->items);
		r = storage_image_read(&saved->image, save->store, d->digest, e);
		saved->media_type = mem_text(d->media_type);
		saved->size = d->size;
	}
	return r;
}

static int find_images(struct image_saved_list *list, const struct image_save *save, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	int r = storage_index_read(&index, save->store, e);
	for (size_t i = 0; r == 0 && i < save->count; i++)
		r = add_image(list, save, &index, save->names[i], e);
	return r;
}

static int write_all(const struct image_save *save, const struct image_saved_list *list,
		     struct image_output *output, struct err *e)
{
	int (*const formats[])(const struct image_save *save, const struct image_saved_list *list,
			       struct image_output *output, struct err *e) = {
		[IMAGE_SAVE_DOCKER_ARCHIVE] = image_save_docker,
		[IMAGE_SAVE_OCI_ARCHIVE] = image_save_oci,
		[IMAGE_SAVE_OCI_FOLDER] = image_save_oci,
		[IMAGE_SAVE_FOLDER] = image_save_folder,
	};
	int r = formats[save->format](save, list, output, e);
	return r < 0 ? r : image_output_finish(output, e);
}

static int save_to_fd(const struct image_save *save, const struct image_saved_list *list, int fd,
		      struct err *e)
{
	own(image_output_free) struct image_output *output = image_output_tar(fd);
	return write_all(save, list, output, e);
}

static int save_to_file(const struct image_save *save, const struct image_saved_list *list,
			struct err *e)
{
	own_clear(image_file_end) struct image_file file = { 0 };

	int r = image_file_open(&file, save->path, e);
	if (r == 0)
		r = save_to_fd(save, list, file.fd, e);
	return r < 0 ? r : image_file_commit(&file, e);
}

static int open_empty(const char *path, bool *made, struct err *e)
{
	*made = mkdir(path, 0755) == 0;
	if (!*made && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	own_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int list = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = list < 0 ? NULL : fdopendir(list);
	if (!dir)
		return err_sys(e, "open %s", path);
	take_fd(&list); /* dir's now */
	const struct dirent *entry;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return err_set(e, ERR_EXISTS, "%s is not empty", path);
	return take_fd(&fd);
}

/* All of it is what was just written there. */
static void empty(int fd)
{
	int list = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = list < 0 ? NULL : fdopendir(list);
	struct err ignored;

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fd_remove_tree_at(fd, entry->d_name, &ignored);
}

static bool is_folder(const struct image_save *save)
{
	return save->format == IMAGE_SAVE_OCI_FOLDER || save->format == IMAGE_SAVE_FOLDER;
}

static int save_to_folder(const struct image_save *save, const struct image_saved_list *list,
			  struct err *e)
{
	bool made;

	own_fd int fd = open_empty(save->path, &made, e);
	if (fd < 0)
		return fd;
	own(image_output_free) struct image_output *output = image_output_folder(fd);
	int r = write_all(save, list, output, e);
	if (r == 0)
		return 0;
	empty(fd);
	if (made)
		rmdir(save->path);
	return r;
}

int image_save_check(const struct image_save *save, struct err *e)
{
	bool made;

	if (!is_folder(save))
		return 0;
	own_fd int fd = open_empty(save->path, &made, e);
	if (fd >= 0 && made)
		rmdir(save->path);
	return fd < 0 ? fd : 0;
}

int image_save(const struct image_save *save, struct err *e)
{
	own_clear(clear_all) struct image_saved_list list = { 0 };

	/* nothing of it may be collected meanwhile */
	own_fd int lock = store_lock_layers_shared(save->store, e);
	if (lock < 0)
		return lock;
	int r = save->list ? find_whole(&list, save, e) : find_images(&list, save, e);
	if (r < 0)
		return r;
	return is_folder(save) ? save_to_folder(save, &list, e) : save_to_file(save, &list, e);
}

int image_save_verb(const struct image_invocation *invocation, struct err *e)
{
	static const char *const formats[] = {
		[IMAGE_SAVE_DOCKER_ARCHIVE] = "docker-archive",
		[IMAGE_SAVE_OCI_ARCHIVE] = "oci-archive",
		[IMAGE_SAVE_OCI_FOLDER] = "oci-dir",
		[IMAGE_SAVE_FOLDER] = "dir",
	};
	struct image_save save = { .store = invocation->store, .platform = &invocation->platform };

	if (invocation->count < 3)
		return err_set(e, ERR_INVALID, "save takes a format, a path and images");
	while (save.format < COUNT_OF(formats) &&
	       strcmp(formats[save.format], invocation->operands[0]) != 0)
		save.format++;
	if (save.format >= COUNT_OF(formats)) {
		err_set(e, ERR_INVALID, "'%s' is not a format to save in", invocation->operands[0]);
		return err_hint(e, "docker-archive, oci-archive, oci-dir or dir");
	}
	save.path = invocation->operands[1];
	if (is_folder(&save) && strcmp(save.path, "-") == 0)
		return err_set(e, ERR_INVALID, "%s is a folder: it needs a path",
			       formats[save.format]);
	save.names = invocation->operands + 2;
	save.count = invocation->count - 2;
	return image_save(&save, e);
}
