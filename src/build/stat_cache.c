#include "build/stat_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/shape.h"
#include "build/ignore.h"
#include "build/sum.h"
#include "storage/steps.h"
#include "storage/store.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

enum {
	VERSION = 1,
	REST_S = 3,               /* ext3 and small inodes of ext4 count whole seconds */
	KEEP_FILES_MIN = 64,      /* fewer are read as fast, */
	KEEP_BYTES_MIN = 1 << 20, /* but for big ones */
	RECORDS_MAX = 4 << 20,    /* BUILD_TREE_ENTRIES_MAX */
};

struct header {
	char boot_id[40];
	uint64_t version, device, count;
};

/* In the order of the inodes. Behind them the digest of all. */
struct record {
	uint64_t inode;
	int64_t size, mtime_ns, ctime_ns;
	unsigned char digest[STORAGE_HASH_SIZE];
};

struct build_stat_cache {
	const struct store *store;
	char *path;
	struct header header;
	int64_t rest_ns; /* a ctime before this one is at rest */
	void *file;      /* mapped; NULL: there is none */
	size_t file_size;
	const struct record *old;
	size_t old_count;
	bool *found; /* of those */
	SHAPE_LIST_OF(struct record) fresh;
	uint64_t fresh_bytes;
};

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* ---- of which place ---- */

static bool is_reliable(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC ||
		fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == F2FS_SUPER_MAGIC);
}

static char *path_of(const struct stat *place, const struct build_ignore *ignore,
		     const struct build_ignore *exclude)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE];

	build_sum_add_number(hash, (long long)place->st_dev);
	build_sum_add_number(hash, (long long)place->st_ino);
	build_sum_add(hash, ignore ? ignore->text.text : NULL);
	build_sum_add(hash, exclude ? exclude->text.text : NULL);
	storage_hash_end(hash, digest);
	return mem_format(STORAGE_CONTEXTS "/%s", oci_digest_hex(digest));
}

/* ---- the file ---- */

static void sum_of(unsigned char ret[STORAGE_HASH_SIZE], const struct header *header,
		   const struct record *records)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	storage_hash_add(hash, header, sizeof(*header));
	storage_hash_add(hash, records, header->count * sizeof(*records));
	storage_hash_end_bytes(hash, ret);
}

/* Is this file whole, and of this boot and device? */
static bool is_valid(const struct build_stat_cache *cache, const struct header *header)
{
	unsigned char sum[STORAGE_HASH_SIZE];
	const struct record *records = (const void *)(header + 1);
	struct header wanted = cache->header;

	wanted.count = header->count;
	if (memcmp(header, &wanted, sizeof(wanted)) != 0 || header->count > RECORDS_MAX ||
	    cache->file_size != sizeof(*header) + header->count * sizeof(*records) + sizeof(sum))
		return false;
	sum_of(sum, header, records);
	return memcmp(records + header->count, sum, sizeof(sum)) == 0;
}

static void read_old(struct build_stat_cache *cache)
{
	struct stat st;

	own_fd int fd = openat(cache->store->root_fd, cache->path,
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(struct header))
		return;
	cache->file_size = (size_t)st.st_size;
	void *file = mmap(NULL, cache->file_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return;
	cache->file = file;
	if (!is_valid(cache, file))
		return;
	cache->old = (const void *)((const struct header *)file + 1);
	cache->old_count = ((const struct header *)file)->count;
	cache->found = mem_new(cache->old_count + 1, sizeof(bool));
	futimens(fd, NULL); /* the collector takes the oldest */
}

struct build_stat_cache *build_stat_cache_open(const struct store *store, int place_fd,
					       const struct build_ignore *ignore,
					       const struct build_ignore *exclude)
{
	struct timespec now;
	struct stat place;
	struct err ignored;
	char boot_id[37];

	if (!is_reliable(place_fd) || fstat(place_fd, &place) < 0 ||
	    process_boot_id(boot_id, &ignored) < 0)
		return NULL;
	struct build_stat_cache *cache = mem_new_struct(struct build_stat_cache);
	clock_gettime(CLOCK_REALTIME, &now);
	cache->store = store;
	cache->rest_ns = ns_of(&now) - REST_S * INT64_C(1000000000);
	cache->header.version = VERSION;
	cache->header.device = place.st_dev;
	memcpy(cache->header.boot_id, boot_id, sizeof(boot_id));
	cache->path = path_of(&place, ignore, exclude);
	read_old(cache);
	return cache;
}

/* ---- one file ---- */

bool build_stat_cache_find(struct build_stat_cache *cache, const struct stat *st,
			   unsigned char ret[STORAGE_HASH_SIZE])
{
	size_t low = 0, high = cache ? cache->old_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cache->old[middle].inode < st->st_ino)
			low = middle + 1;
		else
			high = middle;
	}
	if (!cache || low == cache->old_count || st->st_dev != cache->header.device)
		return false;
	const struct record *record = &cache->old[low];
	if (record->inode != st->st_ino || record->size != st->st_size ||
	    record->mtime_ns != ns_of(&st->st_mtim) || record->ctime_ns != ns_of(&st->st_ctim))
		return false;
	memcpy(ret, record->digest, sizeof(record->digest));
	cache->found[low] = true;
	return true;
}

/* Nobody has a page of it mapped so that a write to it is not seen. */
static bool is_clean(int fd)
{
	struct {
		uint64_t offset, length;
	} range = { 0, 0 }; /* to the end */
	struct {
		uint64_t cached, dirty, writeback, evicted, recently_evicted;
	} pages = { 0 };

	if (syscall(SYS_cachestat, fd, &range, &pages, 0) == 0)
		return !pages.dirty && !pages.writeback;
	return sync_file_range(fd, 0, 0,
			       SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				       SYNC_FILE_RANGE_WAIT_AFTER) == 0;
}

bool build_stat_cache_may_keep(const struct build_stat_cache *cache, int fd, const struct stat *st)
{
	return cache && st->st_dev == cache->header.device &&
	       ns_of(&st->st_ctim) < cache->rest_ns && ns_of(&st->st_mtim) < cache->rest_ns &&
	       is_clean(fd);
}

void build_stat_cache_add(struct build_stat_cache *cache, const struct stat *st,
			  const unsigned char digest[STORAGE_HASH_SIZE])
{
	struct record *record = shape_list_add(&cache->fresh);

	*record = (struct record){
		.inode = st->st_ino,
		.size = st->st_size,
		.mtime_ns = ns_of(&st->st_mtim),
		.ctime_ns = ns_of(&st->st_ctim),
	};
	memcpy(record->digest, digest, sizeof(record->digest));
	cache->fresh_bytes += (uint64_t)st->st_size;
}

/* ---- writing ---- */

static int by_inode(const void *a, const void *b)
{
	uint64_t first = ((const struct record *)a)->inode,
		 second = ((const struct record *)b)->inode;

	return first < second ? -1 : first > second;
}

/* Hard links come more than once; of an inode that has changed the old record goes. */
static void sort_unique(struct build_stat_cache *cache)
{
	struct record *records = cache->fresh.items;
	size_t kept = 0;

	qsort(records, cache->fresh.count, sizeof(*records), by_inode);
	for (size_t i = 0; i < cache->fresh.count; i++)
		if (!kept || records[kept - 1].inode != records[i].inode)
			records[kept++] = records[i];
	cache->fresh.count = kept;
}

static bool is_fresh(const struct build_stat_cache *cache, size_t count, uint64_t inode)
{
	const struct record key = { .inode = inode };

	return bsearch(&key, cache->fresh.items, count, sizeof(key), by_inode);
}

static void add_old(struct build_stat_cache *cache, bool whole)
{
	size_t count = cache->fresh.count;

	for (size_t i = 0; i < cache->old_count; i++)
		if ((cache->found[i] || !whole) && !is_fresh(cache, count, cache->old[i].inode))
			*shape_list_add(&cache->fresh) = cache->old[i];
}

static int write_all(struct build_stat_cache *cache, int fd)
{
	unsigned char sum[STORAGE_HASH_SIZE];

	cache->header.count = cache->fresh.count;
	sum_of(sum, &cache->header, cache->fresh.items);
	int r = fd_write_all(fd, &cache->header, sizeof(cache->header));
	if (r == 0)
		r = fd_write_all(fd, cache->fresh.items,
				 cache->fresh.count * sizeof(*cache->fresh.items));
	return r < 0 ? r : fd_write_all(fd, sum, sizeof(sum));
}

/* Without a sync: after a crash it does not count. */
static void write_new(struct build_stat_cache *cache)
{
	int root_fd = cache->store->root_fd;
	own_free char *path = mem_format("%s.%d", cache->path, (int)getpid());

	if (mkdirat(root_fd, STORAGE_CONTEXTS, 0700) < 0 && errno != EEXIST)
		return;
	own_fd int fd =
		openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write_all(cache, fd) < 0 || renameat(root_fd, path, root_fd, cache->path) < 0)
		unlinkat(root_fd, path, 0);
}

void build_stat_cache_close(struct build_stat_cache *cache, bool whole)
{
	if (!cache)
		return;
	bool many = cache->fresh.count >= KEEP_FILES_MIN || cache->fresh_bytes >= KEEP_BYTES_MIN;
	if (cache->fresh.count && (many || cache->old_count)) {
		sort_unique(cache);
		add_old(cache, whole);
		sort_unique(cache);
		if (cache->fresh.count <= RECORDS_MAX)
			write_new(cache);
	}
	if (cache->file)
		munmap(cache->file, cache->file_size);
	free(cache->found);
	free(cache->fresh.items);
	free(cache->path);
	free(cache);
}
