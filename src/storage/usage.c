#include "storage/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/digest.h"
#include "storage/blob_path.h"
#include "storage/image.h"
#include "storage/store.h"
#include "storage/tree.h"

void storage_usage_clear(struct storage_usage *usage)
{
	for (size_t i = 0; i < usage->parts.count; i++)
		free(usage->parts.items[i].name);
	free(usage->parts.items);
	*usage = (struct storage_usage){ 0 };
}

/* ---- measuring ---- */

static int add_child(struct storage_usage *to, struct tree_seen *seen, int dir_fd, const char *kind,
		     const char *name, struct err *e)
{
	uint64_t bytes = 0;

	int r = storage_tree_add_at(seen, dir_fd, name, &bytes, e);
	if (r < 0)
		return err_add(e, "%s", name);
	if (!kind || !oci_digest_is_hex(name)) {
		to->rest += bytes; /* debris, and what somebody is writing */
		return 0;
	}
	struct storage_part *part = shape_list_add(&to->parts);
	*part = (struct storage_part){ mem_format("%s/%s", kind, name), bytes, 0 };
	return 0;
}

/* Each child of the folder as a part (kind NULL: among the rest, as are its own blocks). What lies
 * in "blobs" is counted by its own. */
static int add_children(struct storage_usage *to, struct tree_seen *seen, const struct store *store,
			const char *folder, const char *kind, struct err *e)
{
	const struct dirent *entry;
	struct stat st;

	int fd = openat(store->root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", folder);
	to->rest += (uint64_t)st.st_blocks * 512;
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (!kind && strcmp(name, "blobs") == 0))
			continue;
		int r = add_child(to, seen, fd, kind, name, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct storage_part *left = a, *right = b;

	return strcmp(left->name, right->name);
}

int storage_usage_read(struct storage_usage *to, const struct store *store, struct err *e)
{
	static const char *const folders[][2] = {
		{ "layers", "layers" },
		{ BLOB_FOLDER, "blobs" },
		{ "images", NULL },
		{ "partial", NULL },
	};
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };
	struct stat st;
	int r = 0;

	if (fstatat(store->root_fd, "images/blobs", &st, AT_SYMLINK_NOFOLLOW) == 0)
		to->rest += (uint64_t)st.st_blocks * 512;
	for (size_t i = 0; r == 0 && i < COUNT_OF(folders); i++)
		r = add_children(to, &seen, store, folders[i][0], folders[i][1], e);
	if (to->parts.count)
		qsort(to->parts.items, to->parts.count, sizeof(*to->parts.items), by_name);
	return r < 0 ? err_add(e, "measure the store") : 0;
}

uint64_t storage_usage_total(const struct storage_usage *usage)
{
	uint64_t sum = usage->rest;

	for (size_t i = 0; i < usage->parts.count; i++)
		sum += usage->parts.items[i].bytes;
	return sum;
}

/* ---- what an image needs ---- */

struct chosen {
	const struct storage_usage *usage;
	size_t *items;
	size_t count;
};

static void choose(struct chosen *to, const char *kind, const char *digest)
{
	const char *hex = oci_digest_hex(digest);

	if (!hex)
		return;
	own_free char *name = mem_format("%s/%s", kind, hex);
	const struct storage_part key = { .name = name };
	const struct storage_part *items = to->usage->parts.items;
	const struct storage_part *part =
		items ? bsearch(&key, items, to->usage->parts.count, sizeof(key), by_name) : NULL;
	if (!part)
		return;
	for (size_t i = 0; i < to->count; i++)
		if (to->items[i] == (size_t)(part - items))
			return;
	to->items[to->count++] = (size_t)(part - items);
}

size_t storage_usage_image(const struct storage_usage *usage, const struct storage_image *image,
			   bool packed, size_t **ret)
{
	const struct strv *diff_ids = &image->config.rootfs.diff_ids;
	size_t most = diff_ids->count + image->manifest.layers.count + 2;
	struct chosen chosen = { usage, mem_new(most, sizeof(size_t)), 0 };

	choose(&chosen, "blobs", image->digest);
	choose(&chosen, "blobs", image->manifest.config.digest);
	for (size_t i = 0; i < diff_ids->count; i++)
		choose(&chosen, "layers", diff_ids->items[i]);
	for (size_t i = 0; packed && i < image->manifest.layers.count; i++)
		choose(&chosen, "blobs", image->manifest.layers.items[i].digest);
	*ret = chosen.items;
	return chosen.count;
}
