#include "build/layer_sum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "build/ignore.h"
#include "build/source.h"
#include "build/sum.h"
#include "build/tree.h"
#include "storage/steps.h"
#include "storage/store.h"

enum {
	KEEP_FILES_MIN = 64,      /* fewer are read as fast, */
	KEEP_BYTES_MIN = 1 << 20, /* but for big ones */
};

/* The second is of the first: what a crash left is told from what was written. */
struct record {
	unsigned char sum[STORAGE_HASH_SIZE], check[STORAGE_HASH_SIZE];
};

static void set_check(struct record *record, const char *path)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	build_sum_add(hash, path);
	build_sum_add_bytes(hash, record->sum, sizeof(record->sum));
	storage_hash_end_bytes(hash, record->check);
}

/* The file of the tree at path, but for exclude, in an image of these layers, lowest first; NULL:
 * there are none, or one of them has no name. */
static char *path_of(const struct strv *layers, const char *path,
		     const struct build_ignore *exclude)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < layers->count; i++)
		if (layers->items[i][0] == '.')
			return NULL;
	if (!layers->count)
		return NULL;
	build_sum_add(hash, "holm tree 1");
	build_sum_add_all(hash, layers);
	build_sum_add(hash, path);
	build_sum_add(hash, exclude ? exclude->text.text : NULL);
	storage_hash_end(hash, digest);
	return mem_format(STORAGE_CONTEXTS "/%s", oci_digest_hex(digest));
}

static bool find(const struct store *store, const char *path, unsigned char ret[STORAGE_HASH_SIZE])
{
	struct record record, wanted;

	own_fd int fd =
		openat(store->root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || read(fd, &record, sizeof(record)) != (ssize_t)sizeof(record))
		return false;
	wanted = record;
	set_check(&wanted, path);
	if (memcmp(&wanted, &record, sizeof(record)) != 0)
		return false;
	futimens(fd, NULL); /* the collector takes the oldest */
	memcpy(ret, record.sum, sizeof(record.sum));
	return true;
}

static bool is_worth_it(const struct build_tree *tree)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < tree->items.count; i++)
		bytes += (uint64_t)tree->items.items[i].size;
	return tree->items.count >= KEEP_FILES_MIN || bytes >= KEEP_BYTES_MIN;
}

/* Without a sync, as the stat cache. */
static void keep(const struct store *store, const char *path, const struct build_tree *tree,
		 const unsigned char sum[STORAGE_HASH_SIZE])
{
	struct record record;

	if (!is_worth_it(tree))
		return;
	memcpy(record.sum, sum, sizeof(record.sum));
	set_check(&record, path);
	own_free char *fresh = mem_format("%s.%d", path, (int)getpid());
	if (mkdirat(store->root_fd, STORAGE_CONTEXTS, 0700) < 0 && errno != EEXIST)
		return;
	own_fd int fd = openat(store->root_fd, fresh,
			       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && (fd_write_all(fd, (const char *)&record, sizeof(record)) < 0 ||
			renameat(store->root_fd, fresh, store->root_fd, path) < 0))
		unlinkat(store->root_fd, fresh, 0);
}

int build_layer_sum_read(unsigned char ret[STORAGE_HASH_SIZE], struct build_tree *tree,
			 const struct build_source *source, const char *path,
			 const struct build_tree_options *options, const struct store *store,
			 struct err *e)
{
	own_free char *file = path_of(&source->layers, path, options->exclude);

	if (file && find(store, file, ret))
		return 0;
	int r = build_tree_read(tree, source->fd, path, options, e);
	if (r < 0)
		return r;
	build_tree_sum(ret, tree);
	if (file)
		keep(store, file, tree, ret);
	return 0;
}
