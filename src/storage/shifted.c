#include "storage/shifted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "storage/hash.h"
#include "storage/layer.h"
#include "storage/squash.h"
#include "storage/store.h"

#define PREFIX "ids-"

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ---- what it is called ---- */

static void add_lines(struct storage_hash *hash, const struct oci_id_mappings *maps)
{
	const uint64_t count = maps->count;

	storage_hash_add(hash, &count, sizeof(count));
	if (count)
		storage_hash_add(hash, maps->items, maps->count * sizeof(*maps->items));
}

/* Who makes images chooses what their lower layers are, so that no two may have one key. */
void storage_shifted_key(char ret[SHIFTED_KEY_SIZE], const struct storage_shifted *shifted)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < shifted->parts.count; i++) {
		const struct storage_shifted_part *part = &shifted->parts.items[i];
		const char *hex = oci_digest_hex(part->layer);
		storage_hash_add(hash, hex ? hex : "", hex ? strlen(hex) + 1 : 1);
		add_lines(hash, &part->ids.uids);
		add_lines(hash, &part->ids.gids);
	}
	storage_hash_end(hash, digest);
	strcpy(ret, oci_digest_hex(digest));
}

/* The folder of its topmost layer, below the root. */
static char *folder_of(const struct storage_shifted *shifted)
{
	const char *hex = oci_digest_hex(shifted->parts.items[shifted->parts.count - 1].layer);

	return mem_format("layers/%s", hex ? hex : "invalid");
}

/* And in that its own. */
static char *path_of(const struct storage_shifted *shifted)
{
	char key[SHIFTED_KEY_SIZE];

	storage_shifted_key(key, shifted);
	own_free char *folder = folder_of(shifted);
	return mem_format("%s/" PREFIX "%s", folder, key);
}

bool storage_shifted_is_there(const struct store *store, const struct storage_shifted *shifted)
{
	own_free char *path = path_of(shifted);

	return faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "whole" beside fs/ says that the files have their bytes. */
char *storage_shifted_path(bool *ret_redirected, const struct store *store,
			   const struct storage_shifted *shifted)
{
	own_free char *path = path_of(shifted);
	own_free char *whole = mem_format("%s/whole", path);

	*ret_redirected = faccessat(store->root_fd, whole, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	return mem_format("%s/%s/fs", store->root, path);
}

/* ---- making ---- */

static int mark_whole(int folder_fd, struct err *e)
{
	own_fd int fd =
		openat(folder_fd, "whole", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(e, "make the file whole") : 0;
}

static int add_part(const struct store *store, const struct storage_shifted_part *part, int to_fd,
		    bool redirected, struct err *e)
{
	const struct copy_options copy = {
		.map = oci_id_map_shift_owner,
		.context = &part->ids,
		.all_attributes = true,
		.sockets = true,
	};
	const struct squash_options options = { .copy = &copy, .redirect = redirected };

	own_fd int layer = storage_layer_open(store, part->layer, e);
	own_fd int fs = layer < 0 ? -1 : openat(layer, ".", FOLDER);
	if (layer < 0)
		return layer;
	int r = fs < 0 ? err_sys(e, "open it") : storage_squash_add(to_fd, fs, &options, e);
	return r < 0 ? err_add(e, "layer %.19s", part->layer) : 0;
}

/* What a killed one left in the folder goes first. */
static int fill(int folder_fd, const struct store *store, const struct storage_shifted *shifted,
		bool redirected, struct err *e)
{
	int r = fd_remove_tree_at(folder_fd, "fs", e);
	if (r < 0)
		return r;
	if (mkdirat(folder_fd, "fs", 0755) < 0)
		return err_sys(e, "make the folder fs");
	own_fd int fs = openat(folder_fd, "fs", FOLDER);
	if (fs < 0)
		return err_sys(e, "open the folder fs");
	for (size_t i = 0; r == 0 && i < shifted->parts.count; i++)
		r = add_part(store, &shifted->parts.items[i], fs, redirected, e);
	if (r == 0 && !redirected)
		r = mark_whole(folder_fd, e);
	return r == 0 && syncfs(fs) < 0 ? err_sys(e, "sync it") : r;
}

/* A folder that was renamed or removed while this one waited for its lock is opened anew. */
static int lock_new(int layer_fd, const char *name, struct err *e)
{
	struct stat mine, there;

	for (;;) {
		if (mkdirat(layer_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make the folder %s", name);
		own_fd int fd = store_lock_folder(layer_fd, name, LOCK_EX, e);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (fstat(fd, &mine) == 0 && fstatat(layer_fd, name, &there, 0) == 0 &&
		    mine.st_ino == there.st_ino)
			return take_fd(&fd);
	}
}

static int make(int top_fd, const char *name, const struct store *store,
		const struct storage_shifted *shifted, bool redirected, struct err *e)
{
	own_free char *unfinished = mem_format(".%s", name);
	own_fd int lock = lock_new(top_fd, unfinished, e);
	if (lock < 0)
		return lock;
	/* the one who had the lock may have finished it */
	if (faccessat(top_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		unlinkat(top_fd, unfinished, AT_REMOVEDIR);
		return 0;
	}
	int r = fill(lock, store, shifted, redirected, e);
	if (r == 0 && renameat(top_fd, unfinished, top_fd, name) < 0)
		r = err_sys(e, "rename it");
	if (r < 0) {
		struct err ignored;
		fd_remove_tree_at(top_fd, unfinished, &ignored);
	}
	return r;
}

int storage_shifted_make(const struct store *store, const struct storage_shifted *shifted,
			 bool redirected, struct err *e)
{
	char key[SHIFTED_KEY_SIZE];

	storage_shifted_key(key, shifted);
	own_free char *folder = folder_of(shifted);
	own_free char *name = mem_format(PREFIX "%s", key);
	own_fd int top = openat(store->root_fd, folder, FOLDER);
	int r = top < 0 ? err_sys(e, "open %s", folder)
			: make(top, name, store, shifted, redirected, e);
	return r < 0 ? err_add(e, "give layers other owners") : 0;
}

/* ---- removing ---- */

static int prune_layer(int layer_fd, const struct strv *kept, uint64_t *bytes, struct err *e)
{
	int reading = openat(layer_fd, ".", FOLDER);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);
	int r = 0;

	for (struct dirent *entry; r == 0 && dir && (entry = readdir(dir));) {
		bool debris = str_starts(entry->d_name, "." PREFIX);
		if (!debris && (!str_starts(entry->d_name, PREFIX) ||
				strv_contains(kept, entry->d_name + strlen(PREFIX))))
			continue;
		/* first the name: one that is half gone must not look whole; another that had it
		 * may be half gone already */
		own_free char *dead = mem_format(debris ? "%s" : ".%s.dead", entry->d_name);
		r = fd_remove_tree_counted_at(layer_fd, dead, bytes, e);
		if (debris || r < 0)
			continue;
		if (renameat(layer_fd, entry->d_name, layer_fd, dead) < 0)
			return err_sys(e, "rename %s", entry->d_name);
		r = fd_remove_tree_counted_at(layer_fd, dead, bytes, e);
	}
	return r;
}

int storage_shifted_prune(const struct store *store, const struct strv *kept, uint64_t *bytes,
			  struct err *e)
{
	int reading = openat(store->root_fd, "layers", FOLDER);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);

	if (!dir)
		return err_sys(e, "list the layers");
	for (struct dirent *entry; (entry = readdir(dir));) {
		own_fd int layer = oci_digest_is_hex(entry->d_name)
					   ? openat(dirfd(dir), entry->d_name, FOLDER)
					   : -1;
		int r = layer < 0 ? 0 : prune_layer(layer, kept, bytes, e);
		if (r < 0)
			return err_add(e, "layer %.12s", entry->d_name);
	}
	return 0;
}
