#include "storage/frozen.h"

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
#include "base/shape.h"
#include "storage/store.h"

/* What layer.json says, for people. */
struct facts {
	char *frozen;    /* when, RFC 3339 */
	char *container; /* by whom */
};

static const struct shape facts_shape = {
	sizeof(struct facts),
	(const struct shape_field[]){
		{ "frozen", SHAPE_STRING, offsetof(struct facts, frozen) },
		{ "container", SHAPE_STRING, offsetof(struct facts, container) },
		{ 0 },
	},
};

static int choose_name(char to[FROZEN_NAME_SIZE], struct err *e)
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "get random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
	return 0;
}

static int fill(int folder_fd, int like_fd, const char *container_id, struct err *e)
{
	static const struct copy_options all = { .all_attributes = true };
	char now[MOMENT_TEXT_SIZE];

	moment_format(now, moment_now_ns());
	const struct facts facts = { now, (char *)container_id };
	int r = shape_write_at(&facts_shape, folder_fd, "layer.json", &facts, e);
	if (r < 0)
		return r;
	if (mkdirat(folder_fd, "fs", 0700) < 0)
		return err_sys(e, "make the folder fs");
	own_fd int fs = openat(folder_fd, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fs < 0 ? err_sys(e, "open fs") : copy_attributes_of(like_fd, fs, &all, e);
}

int storage_frozen_make(char ret_name[FROZEN_NAME_SIZE], const struct store *store, int like_fd,
			const char *container_id, struct err *e)
{
	int r = choose_name(ret_name, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("layers/%s", ret_name);
	if (mkdirat(store->root_fd, path, 0700) < 0)
		return err_sys(e, "make a layer");
	own_fd int folder =
		openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = folder < 0 ? err_sys(e, "open layer %s", ret_name)
		       : fill(folder, like_fd, container_id, e);
	if (r < 0) {
		storage_frozen_remove(store, ret_name);
		return err_add(e, "make a layer");
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

	if (renameat2(dir_fd, path, store->root_fd, layer, RENAME_EXCHANGE) < 0)
		return err_sys(e, "exchange %s and the layer", path);
	return 0;
}

void storage_frozen_remove(const struct store *store, const char *name)
{
	own_free char *path = mem_format("layers/%s", name);
	struct err ignored; /* then it goes with the garbage */

	fd_remove_tree_at(store->root_fd, path, &ignored);
}
