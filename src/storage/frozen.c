#include "storage/frozen.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/rename.h"
#include "base/shape.h"
#include "oci/digest.h"
#include "storage/store.h"

enum { FACTS_BYTES_MAX = 65536 };

static const struct shape facts_shape = {
	sizeof(struct storage_frozen_facts),
	(const struct shape_field[]){
		{ "frozen", SHAPE_STRING, offsetof(struct storage_frozen_facts, frozen) },
		{ "container", SHAPE_STRING, offsetof(struct storage_frozen_facts, container) },
		{ "origin", SHAPE_STRING, offsetof(struct storage_frozen_facts, origin) },
		{ "uids", SHAPE_LIST, offsetof(struct storage_frozen_facts, uids),
		  &oci_id_mapping_shape },
		{ "gids", SHAPE_LIST, offsetof(struct storage_frozen_facts, gids),
		  &oci_id_mapping_shape },
		{ 0 },
	},
};

void storage_frozen_facts_clear(struct storage_frozen_facts *facts)
{
	shape_clear(&facts_shape, facts);
}

static int choose_name(char to[FROZEN_NAME_SIZE], struct err *e)
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "get random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
	return 0;
}

static int fill(int folder_fd, int like_fd, const struct storage_frozen_facts *facts, struct err *e)
{
	static const struct copy_options all = { .all_attributes = true };
	struct storage_frozen_facts said = *facts;
	char now[MOMENT_TEXT_SIZE];

	moment_format(now, moment_now_ns());
	said.frozen = now;
	int r = shape_write_at(&facts_shape, folder_fd, "layer.json", &said, e);
	if (r < 0)
		return r;
	if (mkdirat(folder_fd, "fs", 0755) < 0)
		return err_sys(e, "make the folder fs");
	own_fd int fs = openat(folder_fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return err_sys(e, "open fs");
	return like_fd < 0 ? 0 : copy_attributes_of(like_fd, fs, &all, e);
}

int storage_frozen_make(char ret_name[FROZEN_NAME_SIZE], const struct store *store, int like_fd,
			const struct storage_frozen_facts *facts, struct err *e)
{
	int r = choose_name(ret_name, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("layers/%s", ret_name);
	if (mkdirat(store->root_fd, path, 0700) < 0)
		return err_sys(e, "make a layer");
	own_fd int folder =
		openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = folder < 0 ? err_sys(e, "open layer %s", ret_name) : fill(folder, like_fd, facts, e);
	if (r < 0) {
		storage_frozen_remove(store, ret_name);
		return err_add(e, "make a layer");
	}
	return 0;
}

int storage_frozen_read(struct storage_frozen_facts *ret, const struct store *store,
			const char *name, struct err *e)
{
	own_free char *path = mem_format("layers/%s/layer.json", name);

	int r = shape_read_at(&facts_shape, store->root_fd, path, FACTS_BYTES_MAX, ret, e);
	if (r == 0 && !ret->frozen) {
		storage_frozen_facts_clear(ret);
		return err_set(e, ERR_NOT_FOUND, "layer %.12s is an image's", name);
	}
	return r;
}

int storage_frozen_find(struct shape_map *to, const struct store *store, const struct strv *origins,
			struct err *e)
{
	int fd = openat(store->root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "list the layers");
	for (struct dirent *entry; origins->count && (entry = readdir(dir));) {
		own_clear(storage_frozen_facts_clear) struct storage_frozen_facts facts = { 0 };
		struct err ignored;
		if (!oci_digest_is_hex(entry->d_name) ||
		    storage_frozen_read(&facts, store, entry->d_name, &ignored) < 0)
			continue;
		const char *origin = facts.origin ? facts.origin : entry->d_name;
		if (strv_contains(origins, origin))
			shape_map_set(to, origin, entry->d_name);
	}
	return 0;
}

int storage_frozen_open(const struct store *store, const char *name, struct err *e)
{
	own_free char *path = mem_format("layers/%s/fs", name);

	int fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open layer %.12s", name) : fd;
}

int storage_frozen_exchange(const struct store *store, const char *name, int dir_fd,
			    const char *path, struct err *e)
{
	own_free char *layer = mem_format("layers/%s/fs", name);

	return rename_exchange_at(dir_fd, path, store->root_fd, layer, e);
}

void storage_frozen_remove(const struct store *store, const char *name)
{
	own_free char *path = mem_format("layers/%s", name);
	struct err ignored; /* then it goes with the garbage */

	fd_remove_tree_at(store->root_fd, path, &ignored);
}
