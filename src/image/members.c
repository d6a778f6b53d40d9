#include "image/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/decompress.h"
#include "image/layer.h"
#include "image/read.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/hash.h"
#include "storage/store.h"

struct member {
	char *name; /* clean, absolute: "/blobs/sha256/..." */
	char *link; /* the name it stands for, or NULL */
	char digest[DIGEST_TEXT_SIZE];
	int64_t size;
	unsigned number; /* of its file in the spool; 0: it has become a blob */
};

struct image_members {
	const struct store *store;
	int folder_fd; /* of a folder; else -1 */
	char *spool;   /* below the root; NULL of a folder */
	int spool_fd;  /* locked */
	SHAPE_LIST_OF(struct member) items;
};

void image_members_free(struct image_members *members)
{
	struct err ignored;

	if (members->spool)
		fd_remove_tree_at(members->store->root_fd, members->spool, &ignored);
	own_fd_call(&members->spool_fd);
	own_fd_call(&members->folder_fd);
	for (size_t i = 0; i < members->items.count; i++) {
		free(members->items.items[i].name);
		free(members->items.items[i].link);
	}
	free(members->items.items);
	free(members->spool);
	free(members);
}

static struct image_members *members_new(const struct store *store)
{
	struct image_members *members = mem_new_struct(struct image_members);

	members->store = store;
	members->folder_fd = -1;
	members->spool_fd = -1;
	return members;
}

int image_members_folder(struct image_members **ret, const struct store *store, const char *path,
			 struct err *e)
{
	own(image_members_free) struct image_members *members = members_new(store);

	members->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (members->folder_fd < 0)
		return err_sys(e, "open %s", path);
	*ret = take_ptr(&members);
	return 0;
}

/* ---- the spool ---- */

static int open_spool(struct image_members *members, struct err *e)
{
	const struct store *store = members->store;
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) < 0)
		return err_sys(e, "getrandom");
	own_free char *path = mem_format("partial/.load-%016llx", (unsigned long long)number);
	if (mkdirat(store->root_fd, path, 0700) < 0)
		return err_sys(e, "make folder %s", path);
	members->spool = take_ptr(&path);
	members->spool_fd = store_lock_folder(store->root_fd, members->spool, LOCK_EX, e);
	return members->spool_fd < 0 ? members->spool_fd : 0;
}

static int check_room(const struct image_members *members, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(members->spool_fd, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < UNPACK_RESERVE / 4)
		return err_number(e, ENOSPC, "write to %s", members->store->root);
	return 0;
}

static int archive_failed(struct archive *archive, struct image_read *read, struct err *e)
{
	const char *text = archive_error_string(archive);

	if (read->failed) {
		*e = read->error;
		return -e->number;
	}
	return err_set(e, ERR_CORRUPT, "not a sound tar archive: %.200s", text ? text : "unknown");
}

static int spool_bytes(struct image_members *members, struct member *member,
		       struct archive *archive, struct image_read *read, struct err *e)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char name[16];
	const void *block;
	size_t length;
	int64_t offset;
	int r;

	snprintf(name, sizeof(name), "%u", member->number);
	own_fd int fd =
		openat(members->spool_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create a file in %s", members->store->root);
	while ((r = archive_read_data_block(archive, &block, &length, &offset)) == ARCHIVE_OK) {
		if (offset != member->size)
			return err_set(e, ERR_CORRUPT, "a sparse file in an image archive");
		int written = fd_write_all(fd, block, length);
		if (written < 0)
			return err_number(e, -written, "write to %s", members->store->root);
		storage_hash_add(hash, block, length);
		member->size += (int64_t)length;
		if (check_room(members, e) < 0)
			return -e->number;
	}
	if (r != ARCHIVE_EOF)
		return archive_failed(archive, read, e);
	storage_hash_end(hash, member->digest);
	return 0;
}

/* The name a link in an archive means: hard links from the top, symbolic ones from their folder. */
static char *link_target(const char *name, const char *hard, const char *symbolic)
{
	if (hard)
		return path_clean(hard);
	own_free char *folder = mem_text_n(name, (size_t)(strrchr(name, '/') - name));
	own_free char *joined =
		*symbolic == '/' ? mem_text(symbolic) : mem_format("%s/%s", folder, symbolic);
	return path_clean(joined);
}

static int spool_entry(struct image_members *members, struct archive *archive,
		       struct archive_entry *entry, struct image_read *read, struct err *e)
{
	const char *name = archive_entry_pathname(entry);
	const char *hard = archive_entry_hardlink(entry);
	const char *symbolic = archive_entry_symlink(entry);
	bool file = archive_entry_filetype(entry) == AE_IFREG;

	if (!name || strlen(name) > UNPACK_PATH_MAX)
		return err_set(e, ERR_CORRUPT, "a file without name, or with one that is too long");
	if (!file && !hard && !symbolic)
		return 0;
	if (members->items.count >= IMAGE_MEMBERS_MAX)
		return err_set(e, ERR_CORRUPT, "more than %d files", IMAGE_MEMBERS_MAX);
	struct member *member = shape_list_add(&members->items);
	member->name = path_clean(name);
	if (hard || symbolic) {
		member->link = link_target(member->name, hard, symbolic);
		return 0;
	}
	member->number = (unsigned)members->items.count;
	return spool_bytes(members, member, archive, read, e);
}

static int spool_all(struct image_members *members, struct archive *archive,
		     struct image_read *read, struct err *e)
{
	struct archive_entry *entry;

	archive_read_support_format_tar(archive);
	if (archive_read_open(archive, read, NULL, image_read_block, NULL) != ARCHIVE_OK)
		return archive_failed(archive, read, e);
	for (;;) {
		int r = archive_read_next_header(archive, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_failed(archive, read, e);
		r = spool_entry(members, archive, entry, read, e);
		if (r < 0)
			return r;
	}
}

int image_members_spool(struct image_members **ret, const struct store *store, int fd,
			struct err *e)
{
	own(image_members_free) struct image_members *members = members_new(store);
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	own(image_decompress_free) struct image_decompress *plain = NULL;
	struct image_layer_limits limits = { 0 };

	int r = image_layer_limits(&limits, e);
	if (r == 0)
		r = open_spool(members, e);
	if (r < 0)
		return r;
	plain = image_decompress_new(&packed, limits.ratio_max);
	struct image_read read = { .source = image_decompress_source(plain) };
	struct archive *archive = archive_read_new();
	if (!archive)
		return err_set(e, ERR_INTERNAL, "out of memory");
	r = spool_all(members, archive, &read, e);
	archive_read_free(archive);
	if (r < 0)
		return r;
	*ret = take_ptr(&members);
	return 0;
}

/* ---- finding ---- */

/* Of two with one name the later counts, as when extracted. */
static struct member *find(const struct image_members *members, const char *name)
{
	own_free char *clean = path_clean(name);

	for (int depth = 0; depth < IMAGE_MEMBERS_DEPTH; depth++) {
		struct member *found = NULL;
		for (size_t i = members->items.count; i-- > 0 && !found;)
			if (strcmp(members->items.items[i].name, clean) == 0)
				found = &members->items.items[i];
		if (!found || !found->link)
			return found;
		free(clean);
		clean = mem_text(found->link);
	}
	return NULL;
}

static int missing(const char *name, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "it has no file %.200s", name);
}

/* A file of the folder, or of the spool. */
static int open_member(const struct image_members *members, const char *name, struct err *e)
{
	enum { FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC };
	const struct member *member;
	struct stat st;
	char number[16];

	if (members->spool) {
		member = find(members, name);
		if (!member)
			return missing(name, e);
		if (!member->number)
			return storage_blob_open(members->store, member->digest, NULL, e);
		snprintf(number, sizeof(number), "%u", member->number);
		int fd = openat(members->spool_fd, number, FLAGS);
		return fd < 0 ? err_sys(e, "open %.200s", name) : fd;
	}
	own_fd int fd = path_try_open(members->folder_fd, name, FLAGS, 0);
	if (fd == -ENOENT)
		return missing(name, e);
	if (fd < 0)
		return err_number(e, -fd, "open %.200s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%.200s is not a regular file", name);
	return take_fd(&fd);
}

bool image_members_has(const struct image_members *members, const char *name)
{
	struct err ignored;
	own_fd int fd = open_member(members, name, &ignored);
	return fd >= 0;
}

int image_members_read(const struct image_members *members, const char *name, size_t bytes_max,
		       struct str *to, struct err *e)
{
	own_fd int fd = open_member(members, name, e);
	if (fd < 0)
		return fd;
	int r = fd_read_all(fd, bytes_max, to, e);
	if (r == 0)
		return 0;
	if (e->kind == ERR_INVALID)
		e->kind = ERR_CORRUPT;
	return err_add(e, "%.200s", name);
}

/* ---- becoming blobs ---- */

static int check_member(const struct member *member, const char *digest, int64_t size,
			struct err *e)
{
	if (size >= 0 && member->size != size)
		return err_set(e, ERR_CORRUPT, "%.100s has %lld bytes instead of %lld",
			       member->name, (long long)member->size, (long long)size);
	if (digest && strcmp(member->digest, digest) != 0)
		return err_set(e, ERR_CORRUPT, "%.100s has digest %s instead of %s", member->name,
			       member->digest, digest);
	return 0;
}

static int store_spooled(struct image_members *members, struct member *member, struct err *e)
{
	if (!member->number)
		return 0;
	if (!storage_blob_exists(members->store, member->digest, member->size)) {
		own_free char *path = mem_format("%s/%u", members->spool, member->number);
		int r = storage_blob_adopt(members->store, path, member->digest, e);
		if (r < 0)
			return r;
	}
	member->number = 0;
	return 0;
}

static int copy_bytes(struct blob_writer *writer, int fd, struct err *e)
{
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	const void *block;
	ssize_t n;

	while ((n = source.next(source.context, &block, e)) > 0) {
		int r = storage_blob_write(writer, block, (size_t)n, e);
		if (r < 0)
			return r;
	}
	return (int)n;
}

static int store_copied(const struct image_members *members, const char *name, const char *digest,
			int64_t size, char *digest_ret, int64_t *size_ret, struct err *e)
{
	own(storage_blob_end) struct blob_writer *writer = NULL;
	struct stat st;

	own_fd int fd = open_member(members, name, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %.200s", name);
	int r = storage_blob_begin(&writer, members->store, digest, size, OCI_IMAGE_BLOB_MAX, true,
				   e);
	if (r > 0) { /* it is there; digest was given */
		memcpy(digest_ret, digest, DIGEST_TEXT_SIZE);
		*size_ret = st.st_size;
		return 0;
	}
	if (r == 0 && storage_blob_offset(writer) > 0)
		r = storage_blob_restart(writer, e);
	if (r == 0)
		r = copy_bytes(writer, fd, e);
	return r < 0 ? r : storage_blob_commit(writer, digest_ret, size_ret, e);
}

int image_members_store(struct image_members *members, const char *name, const char *digest,
			int64_t size, char *digest_ret, int64_t *size_ret, struct err *e)
{
	char got[DIGEST_TEXT_SIZE];
	int64_t got_size = 0;
	int r;

	if (members->spool) {
		struct member *member = find(members, name);
		if (!member)
			return missing(name, e);
		r = check_member(member, digest, size, e);
		if (r == 0)
			r = store_spooled(members, member, e);
		memcpy(got, member->digest, sizeof(got));
		got_size = member->size;
	} else {
		r = store_copied(members, name, digest, size, got, &got_size, e);
		if (r < 0)
			err_add(e, "%.200s", name);
	}
	if (r < 0)
		return r;
	if (digest_ret)
		memcpy(digest_ret, got, sizeof(got));
	if (size_ret)
		*size_ret = got_size;
	return 0;
}
