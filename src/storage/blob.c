#include "storage/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "oci/digest.h"
#include "storage/blob_path.h"
#include "storage/store.h"

int storage_blob_path(struct blob_path *to, const char *digest, struct err *e)
{
	int r = oci_digest_check(digest, "blob", e);
	if (r == 0)
		snprintf(to->text, sizeof(to->text), BLOB_FOLDER "/%s", oci_digest_hex(digest));
	return r;
}

int storage_blob_open(const struct store *store, const char *digest, int64_t *size, struct err *e)
{
	struct blob_path path;
	struct stat st;

	int r = storage_blob_path(&path, digest, e);
	if (r < 0)
		return r;
	own_fd int fd =
		openat(store->root_fd, path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "blob %s is not in the store", digest);
	if (fd < 0)
		return err_sys(e, "open blob %s", digest);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat blob %s", digest);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "blob %s is not a regular file", digest);
	if (size)
		*size = st.st_size;
	return take_fd(&fd);
}

bool storage_blob_exists(const struct store *store, const char *digest, int64_t size)
{
	struct blob_path path;
	struct stat st;
	struct err e;

	if (storage_blob_path(&path, digest, &e) < 0)
		return false;
	return fstatat(store->root_fd, path.text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (size < 0 || st.st_size == size);
}

int storage_blob_read(const struct store *store, const char *digest, size_t bytes_max,
		      struct str *to, struct err *e)
{
	int64_t size;

	own_fd int fd = storage_blob_open(store, digest, &size, e);
	if (fd < 0)
		return fd;
	if (size > (int64_t)bytes_max)
		return err_set(e, ERR_CORRUPT, "blob %s is longer than %zu bytes", digest,
			       bytes_max);
	if (fd_read_all(fd, bytes_max, to, e) < 0)
		return err_add(e, "blob %s", digest);
	return 0;
}
