#include "storage/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "storage/store.h"

#define FOLDER "lists"

/* "lists/docker.io%library%x:1": a percent sign is in no reference. */
char *storage_list_path(const char *name)
{
	char *path = mem_format(FOLDER "/%s", name);

	for (char *c = path + strlen(FOLDER "/"); *c; c++)
		if (*c == '/')
			*c = '%';
	return path;
}

bool storage_list_exists(const struct store *store, const char *name)
{
	own_free char *path = storage_list_path(name);

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
	own_free char *path = storage_list_path(name);

	return read_list(to, store->root_fd, path, e);
}

static bool names_it(int dir_fd, const char *file, const char *digest)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };
	struct err broken;

	if (*file == '.' || read_list(&index, dir_fd, file, &broken) < 0)
		return false;
	for (size_t i = 0; i < index.manifests.count; i++)
		if (str_equal(index.manifests.items[i].digest, digest))
			return true;
	return false;
}

bool storage_list_has(const struct store *store, const char *digest)
{
	int fd = openat(store->root_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		if (names_it(fd, entry->d_name, digest))
			return true;
	return false;
}
