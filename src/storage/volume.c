#include "storage/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/rename.h"
#include "base/str.h"
#include "storage/store.h"
#include "storage/tree.h"

enum { VOLUME_NAME_MAX = 128, VOLUME_BYTES_MAX = 1 << 20 };

const struct shape storage_volume_shape = {
	sizeof(struct storage_volume),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, offsetof(struct storage_volume, name) },
		{ "driver", SHAPE_STRING, offsetof(struct storage_volume, driver) },
		{ "created", SHAPE_STRING, offsetof(struct storage_volume, created) },
		{ "anonymous", SHAPE_BOOL, offsetof(struct storage_volume, anonymous) },
		{ "labels", SHAPE_MAP, offsetof(struct storage_volume, labels) },
		{ "options", SHAPE_MAP, offsetof(struct storage_volume, options) },
		{ 0 },
	},
};

void storage_volume_clear(struct storage_volume *volume)
{
	shape_clear(&storage_volume_shape, volume);
}

void storage_volumes_clear(struct storage_volumes *volumes)
{
	for (size_t i = 0; i < volumes->items.count; i++)
		storage_volume_clear(&volumes->items.items[i]);
	free(volumes->items.items);
	*volumes = (struct storage_volumes){ 0 };
}

int storage_volume_check_name(const char *name, struct err *e)
{
	if (str_is_name(name, VOLUME_NAME_MAX))
		return 0;
	return err_set(e, ERR_INVALID,
		       "'%.140s' is not a volume's name: letters and digits, then also _ . -, at "
		       "most %d",
		       name, VOLUME_NAME_MAX);
}

static char *volume_file(const char *name, const char *file)
{
	return mem_format("volumes/%s%s", name, file);
}

char *storage_volume_path(const struct store *store, const char *name)
{
	return mem_format("%s/volumes/%s/data", store->root, name);
}

/* ---- making ---- */

/* Locked, so that it is not taken for what a killed one left. */
static int begin_new(const struct store *store, const char *path, struct err *e)
{
	int fd;

	do {
		if (mkdirat(store->root_fd, path, 0700) < 0)
			return err_sys(e, "make folder %s", path);
		fd = fd_lock_folder_at(store->root_fd, path, true);
	} while (fd == -ENOENT);
	return fd < 0 ? err_number(e, -fd, "lock folder %s", path) : fd;
}

static int fill_new(const struct store *store, const char *folder,
		    const struct storage_volume *volume, struct err *e)
{
	own_free char *data = volume_file(folder, "/data");
	own_free char *record = volume_file(folder, "/volume.json");
	struct storage_volume said = *volume;
	char now[MOMENT_TEXT_SIZE];

	moment_format(now, moment_now_ns());
	if (!said.created)
		said.created = now;
	if (!said.driver)
		said.driver = (char *)"local";
	if (mkdirat(store->root_fd, data, 0755) < 0 || fchmodat(store->root_fd, data, 0755, 0) < 0)
		return err_sys(e, "make folder %s", data);
	return shape_write_at(&storage_volume_shape, store->root_fd, record, &said, e);
}

static int rename_new(const struct store *store, const char *from, const char *name, struct err *e)
{
	own_free char *path = volume_file(name, "");

	int r = rename_new_at(store->root_fd, from, store->root_fd, path);
	if (r == 0)
		return store_sync_folder(store, "volumes", e);
	return r == -EEXIST ? 1 : err_number(e, -r, "rename to %s", path);
}

int storage_volume_create(const struct store *store, const struct storage_volume *volume,
			  struct err *e)
{
	struct err ignored;
	uint64_t number = 0;

	int r = storage_volume_check_name(volume->name, e);
	if (r < 0)
		return r;
	own_free char *there = volume_file(volume->name, "");
	if (faccessat(store->root_fd, there, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (getrandom(&number, sizeof(number), 0) < 0)
		return err_sys(e, "getrandom");
	own_free char *folder = mem_format(".new-%016llx", (unsigned long long)number);
	own_free char *path = volume_file(folder, "");
	own_fd int newborn = begin_new(store, path, e);
	if (newborn < 0)
		return newborn;
	r = fill_new(store, folder, volume, e);
	if (r == 0)
		r = rename_new(store, path, volume->name, e);
	if (r != 0)
		fd_remove_tree_at(store->root_fd, path, &ignored);
	return r < 0 ? err_add(e, "create volume %s", volume->name) : r;
}

int storage_volume_mend(const struct store *store, const char *name, struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	own_free char *data = volume_file(name, "/data");
	own_free char *record = volume_file(name, "/volume.json");
	char now[MOMENT_TEXT_SIZE];
	struct err unreadable;

	if (mkdirat(store->root_fd, data, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", data);
	if (storage_volume_read(&volume, store, name, &unreadable) == 0)
		return 0;
	moment_format(now, moment_now_ns());
	volume.name = mem_text(name);
	volume.driver = mem_text("local");
	volume.created = mem_text(now);
	return shape_write_at(&storage_volume_shape, store->root_fd, record, &volume, e);
}

/* ---- reading ---- */

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no volume is called %.140s", name);
}

int storage_volume_read(struct storage_volume *to, const struct store *store, const char *name,
			struct err *e)
{
	struct storage_volume volume = { 0 };

	int r = storage_volume_check_name(name, e);
	if (r < 0)
		return r;
	own_free char *path = volume_file(name, "/volume.json");
	r = shape_read_at(&storage_volume_shape, store->root_fd, path, VOLUME_BYTES_MAX, &volume,
			  e);
	if (r == -ENOENT)
		return not_found(name, e);
	if (r < 0)
		return r;
	mem_replace(&volume.name, name); /* the folder's name is what counts */
	*to = volume;
	return 0;
}

int storage_volume_open(const struct store *store, const char *name, struct err *e)
{
	int r = storage_volume_check_name(name, e);
	if (r < 0)
		return r;
	own_free char *path = volume_file(name, "/data");
	int fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return not_found(name, e);
	return fd < 0 ? err_sys(e, "open volume %s", name) : fd;
}

/* Who makes or removes a volume holds the lock of its folder. */
void storage_volume_clear_debris(const struct store *store)
{
	own_fd int fd = openat(store->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fd_remove_unlocked_at(fd, ".new-");
	fd_remove_unlocked_at(fd, ".dead-");
}

static int by_name(const void *a, const void *b)
{
	const struct storage_volume *left = a, *right = b;
	return strcmp(left->name, right->name);
}

int storage_volume_list(struct storage_volumes *to, const struct store *store, struct err *e)
{
	struct err ignored;
	const struct dirent *entry;
	int fd = openat(store->root_fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "open volumes");
	while ((entry = readdir(dir))) {
		struct storage_volume volume = { 0 };
		if (entry->d_name[0] == '.' ||
		    storage_volume_read(&volume, store, entry->d_name, &ignored) < 0)
			continue;
		*shape_list_add(&to->items) = volume;
	}
	if (to->items.count)
		qsort(to->items.items, to->items.count, sizeof(*to->items.items), by_name);
	return 0;
}

int storage_volume_remove(const struct store *store, const char *name, uint64_t *bytes,
			  struct err *e)
{
	uint64_t number = 0, freed = 0;

	int r = storage_volume_check_name(name, e);
	if (r < 0)
		return r;
	if (getrandom(&number, sizeof(number), 0) < 0)
		return err_sys(e, "getrandom");
	own_free char *path = volume_file(name, "");
	own_free char *dead = mem_format("volumes/.dead-%016llx", (unsigned long long)number);
	own_fd int lock = fd_lock_folder_at(store->root_fd, path, true);
	if (lock < 0)
		return lock == -ENOENT ? not_found(name, e) : err_number(e, -lock, "lock %s", path);
	if (renameat(store->root_fd, path, store->root_fd, dead) < 0)
		return err_sys(e, "rename %s", path);
	r = fd_remove_tree_counted_at(store->root_fd, dead, &freed, e);
	if (bytes)
		*bytes = freed;
	return r < 0 ? err_add(e, "remove volume %s", name) : 0;
}

int storage_volume_size(const struct store *store, const char *name, uint64_t *ret, struct err *e)
{
	own_fd int fd = storage_volume_open(store, name, e);
	if (fd < 0)
		return fd;
	return storage_tree_size(fd, ret, e);
}
