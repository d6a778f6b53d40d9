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
#include "storage/tar_head.h"

enum {
	FILE_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
	HEADERS_STEP = 64 << 10,
};

struct member {
	char *name;                    /* clean, absolute: "/blobs/sha256/..." */
	char *link;                    /* the name it stands for, or NULL */
	char digest[DIGEST_TEXT_SIZE]; /* of the spool: what it is; else what was promised */
	int64_t size;
	int64_t from;    /* where it begins in the archive */
	unsigned number; /* of its file in the spool; 0: it has become a blob */
};

/* One of the three. */
struct image_members {
	const struct store *store;
	int folder_fd;                      /* of a folder; else -1 */
	int archive_fd;                     /* of a tar that is read where it lies; else -1 */
	char *spool;                        /* below the root; NULL of the others */
	int spool_fd;                       /* locked */
	SHAPE_LIST_OF(struct member) items; /* of a folder: what was promised */
};

void image_members_free(struct image_members *members)
{
	struct err ignored;

	if (members->spool)
		fd_remove_tree_at(members->store->root_fd, members->spool, &ignored);
	own_fd_call(&members->spool_fd);
	own_fd_call(&members->folder_fd);
	own_fd_call(&members->archive_fd);
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
	members->archive_fd = -1;
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

/* Adds what the header says; *ret: the regular file, whose bytes come next, or NULL. */
static int add_entry(struct image_members *members, struct archive_entry *entry,
		     struct member **ret, struct err *e)
{
	const char *name = archive_entry_pathname(entry);
	const char *hard = archive_entry_hardlink(entry);
	const char *symbolic = archive_entry_symlink(entry);
	bool file = archive_entry_filetype(entry) == AE_IFREG;

	*ret = NULL;
	if (!name || strlen(name) > UNPACK_PATH_MAX)
		return err_set(e, ERR_CORRUPT, "a file without name, or with one that is too long");
	if (!file && !hard && !symbolic)
		return 0;
	if (members->items.count >= IMAGE_MEMBERS_MAX)
		return err_set(e, ERR_CORRUPT, "more than %d files", IMAGE_MEMBERS_MAX);
	struct member *member = shape_list_add(&members->items);
	member->name = path_clean(name);
	if (hard || symbolic)
		member->link = link_target(member->name, hard, symbolic);
	else
		*ret = member;
	return 0;
}

/* 1: there is none any more. */
static int next_entry(struct archive *archive, struct archive_entry **entry,
		      struct image_read *read, struct err *e)
{
	int r = archive_read_next_header(archive, entry);
	if (r == ARCHIVE_EOF)
		return 1;
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : archive_failed(archive, read, e);
}

static int spool_all(struct image_members *members, struct archive *archive,
		     struct image_read *read, struct err *e)
{
	struct archive_entry *entry;
	struct member *file;

	archive_read_support_format_tar(archive);
	if (archive_read_open(archive, read, NULL, image_read_block, NULL) != ARCHIVE_OK)
		return archive_failed(archive, read, e);
	for (;;) {
		int r = next_entry(archive, &entry, read, e);
		if (r == 0)
			r = add_entry(members, entry, &file, e);
		if (r == 0 && file) {
			file->number = (unsigned)members->items.count;
			r = spool_bytes(members, file, archive, read, e);
		}
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

static int spool(struct image_members *members, int fd, struct err *e)
{
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
	image_decompress_take_others(plain);
	struct image_read read = { .source = image_decompress_source(plain) };
	struct archive *archive = archive_read_new();
	if (!archive)
		return err_set(e, ERR_INTERNAL, "out of memory");
	r = spool_all(members, archive, &read, e);
	archive_read_free(archive);
	return r;
}

/* ---- where an archive lies ---- */

/* A file whose data libarchive steps over. */
struct headers {
	int fd;
	int64_t at, end;
	struct image_read read; /* for archive_failed() */
	char block[HEADERS_STEP];
};

static ssize_t read_headers(struct archive *archive, void *context, const void **block)
{
	struct headers *headers = context;
	ssize_t n;

	do
		n = pread(headers->fd, headers->block, sizeof(headers->block), headers->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(archive, errno, "read: %s", strerror(errno));
		return ARCHIVE_FATAL;
	}
	headers->at += n;
	*block = headers->block;
	return n;
}

/* As far as the file goes: libarchive reads on there, and says that it is too short. */
static int64_t skip_data(struct archive *archive, void *context, int64_t length)
{
	struct headers *headers = context;
	int64_t left = headers->end > headers->at ? headers->end - headers->at : 0;
	int64_t step = length < left ? length : left;

	(void)archive;
	headers->at += step;
	return step;
}

/* Its data ends, filled up to whole blocks of tar, where the next header begins. */
static void place(struct member *member, int64_t next)
{
	const int64_t block = STORAGE_TAR_HEAD;

	member->from = next - (member->size + block - 1) / block * block;
}

static int index_entries(struct image_members *members, struct archive *archive,
			 struct headers *headers, int64_t begin, struct err *e)
{
	struct archive_entry *entry;
	size_t last = 0; /* the file before, counted from 1 */
	struct member *file;
	int r;

	while ((r = next_entry(archive, &entry, &headers->read, e)) >= 0) {
		if (last)
			place(&members->items.items[last - 1],
			      begin + archive_read_header_position(archive));
		if (r == 1)
			return 0;
		r = add_entry(members, entry, &file, e);
		if (r < 0)
			return r;
		last = file ? members->items.count : 0;
		if (!file)
			continue;
		file->size = archive_entry_size(entry);
		if (archive_entry_sparse_count(entry))
			return err_set(e, ERR_CORRUPT, "a sparse file in an image archive");
	}
	return r;
}

static int read_index(struct image_members *members, int64_t begin, int64_t end, struct err *e)
{
	own_free struct headers *headers = mem_new_struct(struct headers);
	struct archive *archive = archive_read_new();
	int r;

	if (!archive)
		return err_set(e, ERR_INTERNAL, "out of memory");
	headers->fd = members->archive_fd;
	headers->at = begin;
	headers->end = end;
	archive_read_support_format_tar(archive);
	if (archive_read_open2(archive, headers, NULL, read_headers, skip_data, NULL) == ARCHIVE_OK)
		r = index_entries(members, archive, headers, begin, e);
	else
		r = archive_failed(archive, &headers->read, e);
	archive_read_free(archive);
	return r;
}

/* 1: not a file, or compressed, so that it has to be read through. */
static int read_where_it_lies(struct image_members *members, int fd, struct err *e)
{
	char head[STORAGE_TAR_HEAD];
	struct stat st;
	off_t begin = lseek(fd, 0, SEEK_CUR);

	if (begin < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	ssize_t n = pread(fd, head, sizeof(head), begin);
	if (n < (ssize_t)sizeof(head) || !storage_tar_begins(head))
		return 1;
	members->archive_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (members->archive_fd < 0)
		return err_sys(e, "dup");
	return read_index(members, begin, st.st_size, e);
}

int image_members_archive(struct image_members **ret, const struct store *store, int fd,
			  struct err *e)
{
	own(image_members_free) struct image_members *members = members_new(store);

	int r = read_where_it_lies(members, fd, e);
	if (r == 1)
		r = spool(members, fd, e);
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

/* The bytes of a file: in a descriptor of the holder's own. */
struct place {
	int fd;
	int64_t from, size;
};

static void close_place(struct place *place)
{
	own_fd_call(&place->fd);
}

static int place_of_file(struct place *to, int fd, const char *name, struct err *e)
{
	own_fd int file = fd;
	struct stat st;

	if (file == -ENOENT)
		return missing(name, e);
	if (file < 0)
		return err_number(e, -file, "open %.200s", name);
	if (fstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%.200s is not a regular file", name);
	*to = (struct place){ take_fd(&file), 0, st.st_size };
	return 0;
}

static int place_of_member(struct place *to, const struct image_members *members,
			   const struct member *member, struct err *e)
{
	char number[16];
	int fd;

	if (members->archive_fd >= 0) {
		fd = fcntl(members->archive_fd, F_DUPFD_CLOEXEC, 3);
		*to = (struct place){ fd, member->from, member->size };
		return fd < 0 ? err_sys(e, "dup") : 0;
	}
	if (!member->number) {
		fd = storage_blob_open(members->store, member->digest, NULL, e);
		return fd < 0 ? fd : place_of_file(to, fd, member->name, e);
	}
	snprintf(number, sizeof(number), "%u", member->number);
	fd = openat(members->spool_fd, number, FILE_FLAGS);
	return place_of_file(to, fd < 0 ? -errno : fd, member->name, e);
}

/* Fills *to, which the caller ends with close_place(). */
static int open_place(struct place *to, const struct image_members *members, const char *name,
		      struct err *e)
{
	if (members->folder_fd >= 0)
		return place_of_file(to, path_try_open(members->folder_fd, name, FILE_FLAGS, 0),
				     name, e);
	const struct member *member = find(members, name);
	return member ? place_of_member(to, members, member, e) : missing(name, e);
}

bool image_members_has(const struct image_members *members, const char *name)
{
	own_clear(close_place) struct place place = { -1, 0, 0 };
	struct err ignored;

	return open_place(&place, members, name, &ignored) == 0;
}

int image_members_read(const struct image_members *members, const char *name, size_t bytes_max,
		       struct str *to, struct err *e)
{
	own_clear(close_place) struct place place = { -1, 0, 0 };
	const void *block;
	ssize_t n;

	int r = open_place(&place, members, name, e);
	if (r < 0)
		return r;
	if (place.size > (int64_t)bytes_max)
		return err_set(e, ERR_CORRUPT, "%.200s: longer than %zu bytes", name, bytes_max);
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_range(place.fd, place.from, place.size, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	while ((n = source.next(source.context, &block, e)) > 0)
		str_add_n(to, block, (size_t)n);
	return n < 0 ? err_add(e, "%.200s", name) : 0;
}

int image_members_look(const struct image_members *members, const char *name, char *head,
		       size_t length, int64_t *size, struct err *e)
{
	own_clear(close_place) struct place place = { -1, 0, 0 };

	int r = open_place(&place, members, name, e);
	if (r < 0)
		return r;
	memset(head, 0, length);
	if ((int64_t)length > place.size)
		length = (size_t)place.size;
	if (pread(place.fd, head, length, place.from) < 0)
		return err_sys(e, "read %.200s", name);
	*size = place.size;
	return 0;
}

/* ---- becoming blobs ---- */

static int check_size(const struct member *member, int64_t size, struct err *e)
{
	if (size < 0 || member->size == size)
		return 0;
	return err_set(e, ERR_CORRUPT, "%.100s has %lld bytes instead of %lld", member->name,
		       (long long)member->size, (long long)size);
}

static int check_member(const struct member *member, const char *digest, int64_t size,
			struct err *e)
{
	int r = check_size(member, size, e);

	if (r == 0 && digest && strcmp(member->digest, digest) != 0)
		return err_set(e, ERR_CORRUPT, "%.100s has digest %s instead of %s", member->name,
			       member->digest, digest);
	return r;
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

static int copy_bytes(struct blob_writer *writer, const struct place *place, struct err *e)
{
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_range(place->fd, place->from, place->size, NULL, NULL);
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
	own_clear(close_place) struct place place = { -1, 0, 0 };
	own(storage_blob_end) struct blob_writer *writer = NULL;

	int r = open_place(&place, members, name, e);
	if (r < 0)
		return r;
	r = storage_blob_begin(&writer, members->store, digest, size, OCI_IMAGE_BLOB_MAX, true, e);
	if (r > 0) { /* it is there; digest was given */
		memcpy(digest_ret, digest, DIGEST_TEXT_SIZE);
		*size_ret = place.size;
		return 0;
	}
	if (r == 0 && storage_blob_offset(writer) > 0)
		r = storage_blob_restart(writer, e);
	if (r == 0)
		r = copy_bytes(writer, &place, e);
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

/* ---- blobs that come with their layers ---- */

/* Of a folder, whose files are no items until they are promised. */
static struct member *add_file(struct image_members *members, const char *name, struct err *e)
{
	own_clear(close_place) struct place place = { -1, 0, 0 };

	if (open_place(&place, members, name, e) < 0)
		return NULL;
	struct member *member = shape_list_add(&members->items);
	member->name = mem_text(name);
	member->size = place.size;
	return member;
}

int image_members_promise(struct image_members *members, const char *name, const char *digest,
			  int64_t size, struct err *e)
{
	if (members->spool)
		return image_members_store(members, name, digest, size, NULL, NULL, e);
	struct member *member =
		members->folder_fd >= 0 ? add_file(members, name, e) : find(members, name);
	if (!member)
		return members->folder_fd >= 0 ? -e->number : missing(name, e);
	int r = check_size(member, size, e);
	if (r == 0)
		snprintf(member->digest, sizeof(member->digest), "%s", digest);
	return r;
}

int image_members_open(const struct image_members *members, const char *digest, int64_t *from,
		       struct err *e)
{
	struct place place = { -1, 0, 0 };

	for (size_t i = 0; i < members->items.count; i++) {
		const struct member *member = &members->items.items[i];
		if (strcmp(member->digest, digest) != 0)
			continue;
		int r = members->folder_fd >= 0 ? open_place(&place, members, member->name, e)
						: place_of_member(&place, members, member, e);
		*from = place.from;
		return r < 0 ? r : place.fd;
	}
	return missing(digest, e);
}
