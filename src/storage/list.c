#include "storage/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "storage/store.h"

#define FOLDER "lists"

/* "lists/docker.io%library%x:1": a percent sign is in no reference. */
static char *path_of(const char *name)
{
	char *path = mem_format(FOLDER "/%s", name);

	for (char *c = path + strlen(FOLDER "/"); *c; c++)
		if (*c == '/')
			*c = '%';
	return path;
}

bool storage_list_exists(const struct store *store, const char *name)
{
	own_free char *path = path_of(name);

	return faccessat(store->root_fd, path, F_OK, 0) == 0;
}

static int read_list(struct oci_index *to, int dir_fd, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = fd_read_file_at(dir_fd, path, OCI_IMAGE_MANIFEST_MAX, &text, e);

	if (r == -ENOENT)
		return err_set(e, ERR_NOT_FOUND, "no such manifest list");
	return r < 0 ? r : oci_index_parse(to, text.text ? text.text : "", text.length, e);
}

int storage_list_read(struct oci_index *to, const struct store *store, const char *name,
		      struct err *e)
{
	own_free char *path = path_of(name);

	return read_list(to, store->root_fd, path, e);
}

static void add_named(struct strv *to, int dir_fd, const char *file)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	struct err broken;

	if (*file == '.' || read_list(&index, dir_fd, file, &broken) < 0)
		return;
	for (size_t i = 0; i < index.manifests.count; i++)
		strv_add(to, index.manifests.items[i].digest);
}

/* NULL: there were never lists. */
static DIR *open_folder(const struct store *store)
{
	own_fd int fd =
		openat(store->root_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		take_fd(&fd);
	return dir;
}

void storage_list_named(struct strv *to, const struct store *store)
{
	own_dir DIR *dir = open_folder(store);

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		add_named(to, dirfd(dir), entry->d_name);
}

int storage_list_names(struct strv *to, const struct store *store, struct err *e)
{
	own_dir DIR *dir = open_folder(store);

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open folder " FOLDER);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (*entry->d_name == '.')
			continue;
		char *name = mem_text(entry->d_name);
		for (char *c = name; *c; c++)
			if (*c == '%')
				*c = '/';
		strv_add_take(to, name);
	}
	return 0;
}

int64_t storage_list_changed_ns(const struct store *store, const char *name)
{
	own_free char *path = path_of(name);
	struct stat st;

	if (fstatat(store->root_fd, path, &st, 0) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* ---- changes ---- */

int storage_list_lock(const struct store *store, struct err *e)
{
	if (mkdirat(store->root_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder " FOLDER);
	return store_lock_folder(store->root_fd, FOLDER, LOCK_EX, e);
}

int storage_list_write(const struct store *store, const char *name, const struct oci_index *list,
		       struct err *e)
{
	own_json struct json_object *object = shape_write(&oci_index_shape, list);
	own_free char *path = path_of(name);
	const char *text = json_text(object);

	return fd_write_file_at(store->root_fd, path, text, strlen(text), 0600, e);
}

int storage_list_remove(const struct store *store, const char *name, struct err *e)
{
	own_free char *path = path_of(name);

	if (unlinkat(store->root_fd, path, 0) == 0)
		return 0;
	return errno == ENOENT ? err_set(e, ERR_NOT_FOUND, "no such manifest list")
			       : err_sys(e, "remove the manifest list");
}

static void forget_own(struct json_object *manifest)
{
	struct json_object *annotations = json_object_object_get(manifest, "annotations");

	if (!annotations)
		return;
	json_object_object_del(annotations, STORAGE_LIST_SOURCE);
	json_object_object_del(annotations, STORAGE_LIST_NAME);
	if (!json_object_object_length(annotations))
		json_object_object_del(manifest, "annotations");
}

char *storage_list_text(const struct oci_index *list)
{
	own_json struct json_object *object = shape_write(&oci_index_shape, list);
	struct json_object *manifests = json_object_object_get(object, "manifests");

	for (size_t i = 0; manifests && i < json_object_array_length(manifests); i++)
		forget_own(json_object_array_get_idx(manifests, i));
	return mem_text(json_text(object));
}
