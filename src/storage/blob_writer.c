#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rename.h"
#include "base/str.h"
#include "oci/digest.h"
#include "storage/blob.h"
#include "storage/blob_path.h"
#include "storage/hash.h"
#include "storage/store.h"

struct blob_writer {
	const struct store *store;
	char *digest; /* NULL: whatever comes */
	char *path;   /* partial/HEX or partial/.new-..., below the root */
	int fd;       /* locked */
	int64_t size; /* -1: not known */
	int64_t bytes_max;
	int64_t offset;
	int64_t started; /* bytes that were given to the disk already */
	struct storage_hash *hash;
	bool keep;
	bool broken; /* a write failed: the disk is full, keep nothing */
};

enum { READ_STEP = 1 << 18, WRITEBACK_STEP = 8 << 20 };

/* ---- opening ---- */

static char *partial_path(const char *digest)
{
	uint64_t number = 0;

	if (digest)
		return mem_format("partial/%s", oci_digest_hex(digest));
	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint64_t)getpid();
	return mem_format("partial/.new-%016llx", (unsigned long long)number);
}

/* Opens and locks the file. Whoever waited may hold one that was renamed or removed meanwhile. */
static int lock_partial(const struct store *store, const char *path, bool wait, struct err *e)
{
	struct stat st;

	for (;;) {
		own_fd int fd =
			openat(store->root_fd, path,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (fd < 0)
			return err_sys(e, "create %s", path);
		int r;
		do
			r = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
		while (r < 0 && errno == EINTR);
		if (r < 0 && errno == EWOULDBLOCK)
			return err_set(e, ERR_STATE, "another holm is fetching this blob");
		if (r < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "lock %s", path);
		if (st.st_nlink)
			return take_fd(&fd);
	}
}

ssize_t storage_blob_reread(const struct blob_writer *writer, void *bytes, size_t length,
			    int64_t at, struct err *e)
{
	ssize_t n;

	do
		n = pread(writer->fd, bytes, length, at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(e, "read %s", writer->path) : n;
}

/* Hashes what an earlier try left. */
static int hash_partial(struct blob_writer *writer, struct err *e)
{
	own_free char *buffer = mem_new(1, READ_STEP);

	for (;;) {
		ssize_t n = storage_blob_reread(writer, buffer, READ_STEP, writer->offset, e);
		if (n <= 0)
			return (int)n;
		storage_hash_add(writer->hash, buffer, (size_t)n);
		writer->offset += n;
		if (writer->offset > writer->bytes_max)
			return storage_blob_restart(writer, e);
	}
}

int storage_blob_begin(struct blob_writer **ret, const struct store *store, const char *digest,
		       int64_t size, int64_t bytes_max, bool wait, struct err *e)
{
	if (digest && oci_digest_check(digest, "blob", e) < 0)
		return -e->number;
	if (size > bytes_max)
		return err_set(e, ERR_CORRUPT, "a blob of %lld bytes, more than %lld",
			       (long long)size, (long long)bytes_max);
	if (digest && storage_blob_exists(store, digest, size))
		return 1;

	own(storage_blob_end) struct blob_writer *writer = mem_new_struct(struct blob_writer);
	writer->store = store;
	writer->fd = -1;
	writer->hash = storage_hash_new();
	writer->digest = mem_text(digest);
	writer->size = size;
	writer->bytes_max = size >= 0 ? size : bytes_max;
	writer->path = partial_path(digest);
	writer->fd = lock_partial(store, writer->path, wait, e);
	if (writer->fd < 0)
		return writer->fd;
	/* whoever had the lock may have finished the blob */
	if (digest && storage_blob_exists(store, digest, size))
		return 1;
	int r = hash_partial(writer, e);
	if (r < 0)
		return r;
	*ret = take_ptr(&writer);
	return 0;
}

int64_t storage_blob_offset(const struct blob_writer *writer)
{
	return writer->offset;
}

int storage_blob_restart(struct blob_writer *writer, struct err *e)
{
	if (ftruncate(writer->fd, 0) < 0)
		return err_sys(e, "truncate %s", writer->path);
	storage_hash_restart(writer->hash);
	writer->offset = 0;
	writer->started = 0;
	return 0;
}

/* ---- writing ---- */

int storage_blob_write(struct blob_writer *writer, const void *bytes, size_t length, struct err *e)
{
	const char *at = bytes;

	if (length > (uint64_t)(writer->bytes_max - writer->offset))
		return err_set(e, ERR_CORRUPT, "more than the %lld bytes that were announced",
			       (long long)writer->bytes_max);
	storage_hash_add(writer->hash, bytes, length);
	while (length) {
		ssize_t n = pwrite(writer->fd, at, length, writer->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			writer->broken = true;
			return err_sys(e, "write a blob to %s", writer->store->root);
		}
		at += n;
		writer->offset += n;
		length -= (size_t)n;
	}
	/* the disk begins now, so that the fsync at the end waits for little */
	if (writer->offset - writer->started >= WRITEBACK_STEP) {
		sync_file_range(writer->fd, writer->started, writer->offset - writer->started,
				SYNC_FILE_RANGE_WRITE);
		writer->started = writer->offset;
	}
	return 0;
}

static int check_bytes(struct blob_writer *writer, const char *got, struct err *e)
{
	if (writer->size >= 0 && writer->offset != writer->size)
		return err_set(e, ERR_CORRUPT, "%lld bytes instead of the %lld announced",
			       (long long)writer->offset, (long long)writer->size);
	if (writer->digest && strcmp(writer->digest, got) != 0) {
		writer->keep = false;
		return err_set(e, ERR_CORRUPT, "the bytes have digest %s instead of %s", got,
			       writer->digest);
	}
	return 0;
}

int storage_blob_commit(struct blob_writer *writer, char *digest_ret, int64_t *size_ret,
			struct err *e)
{
	const struct store *store = writer->store;
	char got[DIGEST_TEXT_SIZE];
	struct blob_path to;

	storage_hash_end(writer->hash, got);
	int r = check_bytes(writer, got, e);
	if (r == 0)
		r = storage_blob_path(&to, got, e);
	if (r < 0)
		return r;
	if (fchmod(writer->fd, 0644) < 0 || fsync(writer->fd) < 0) {
		writer->broken = true;
		return err_sys(e, "write a blob to %s", store->root);
	}
	r = rename_new_at(store->root_fd, writer->path, store->root_fd, to.text);
	if (r < 0 && r != -EEXIST)
		return err_number(e, -r, "rename to %s", to.text);
	if (r < 0) {
		writer->keep = false;
		r = 0;
	} else {
		mem_replace(&writer->path, NULL);
		r = store_sync_folder(store, BLOB_FOLDER, e);
	}
	if (digest_ret)
		memcpy(digest_ret, got, sizeof(got));
	if (size_ret)
		*size_ret = writer->offset;
	return r;
}

void storage_blob_keep(struct blob_writer *writer)
{
	writer->keep = writer->digest != NULL;
}

void storage_blob_end(struct blob_writer *writer)
{
	if (writer->path && writer->fd >= 0 && (!writer->keep || writer->broken))
		unlinkat(writer->store->root_fd, writer->path, 0);
	own_fd_call(&writer->fd);
	storage_hash_free(writer->hash);
	free(writer->digest);
	free(writer->path);
	free(writer);
}

int storage_blob_put(const struct store *store, const void *bytes, size_t length, char *digest_ret,
		     struct err *e)
{
	own(storage_blob_end) struct blob_writer *writer = NULL;
	char digest[DIGEST_TEXT_SIZE];

	storage_hash_bytes(bytes, length, digest);
	int r = storage_blob_begin(&writer, store, digest, (int64_t)length, (int64_t)length, true,
				   e);
	if (r == 0 && storage_blob_offset(writer) > 0)
		r = storage_blob_restart(writer, e);
	if (r == 0)
		r = storage_blob_write(writer, bytes, length, e);
	if (r == 0)
		r = storage_blob_commit(writer, NULL, NULL, e);
	if (r >= 0 && digest_ret)
		memcpy(digest_ret, digest, sizeof(digest));
	return r < 0 ? r : 0;
}

int storage_blob_read_verified(const struct store *store, const char *digest, size_t bytes_max,
			       struct str *to, struct err *e)
{
	char got[DIGEST_TEXT_SIZE];
	size_t start = to->length;

	int r = storage_blob_read(store, digest, bytes_max, to, e);
	if (r < 0)
		return r;
	storage_hash_bytes(to->text ? to->text + start : "", to->length - start, got);
	if (strcmp(got, digest) != 0)
		return err_set(e, ERR_CORRUPT, "blob %s is damaged: its bytes have digest %s",
			       digest, got);
	return 0;
}

int storage_blob_adopt(const struct store *store, const char *path, const char *digest,
		       struct err *e)
{
	struct blob_path to;

	int r = storage_blob_path(&to, digest, e);
	if (r < 0)
		return r;
	own_fd int fd = openat(store->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		return err_sys(e, "write a blob to %s", store->root);
	if (renameat(store->root_fd, path, store->root_fd, to.text) < 0)
		return err_sys(e, "rename to %s", to.text);
	return store_sync_folder(store, BLOB_FOLDER, e);
}
