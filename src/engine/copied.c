#include "engine/copied.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/user_ids.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "oci/id_map.h"
#include "runtime/overlay_driver.h"
#include "storage/layer.h"
#include "storage/squash.h"
#include "storage/store.h"

enum { XFS_MAGIC = 0x58465342 };

static bool is_known(int folder_fd)
{
	struct statfs fs;

	return fstatfs(folder_fd, &fs) == 0 &&
	       (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_MAGIC ||
		fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == F2FS_SUPER_MAGIC);
}

void engine_copied_choose(struct engine *engine, struct container *c)
{
	struct err e = { 0 };

	if (!c->image.layers.count || c->storage.upper || !user_ids_are_mapped() ||
	    is_known(engine->store->root_fd) || runtime_overlay_driver(engine->store->root_fd, &e))
		return;
	log_warning("%s: the container's root is a copy of its image (%s)", engine->store->root,
		    *e.hint ? e.hint : e.text);
	c->storage.copied = true;
}

static void shift(const void *context, uid_t *uid, gid_t *gid)
{
	oci_id_map_owner_to_host(context, uid, gid);
}

/* Never links: the layers are others', too. */
static int add_layer(struct engine *engine, const char *layer, int to_fd,
		     const struct oci_id_map *ids, struct err *e)
{
	const struct copy_options copy = { .map = shift, .context = ids, .all_attributes = true };
	const struct squash_options options = { .copy = &copy, .lowest = true };

	own_fd int folder = storage_layer_open(engine->store, layer, e);
	if (folder < 0)
		return folder;
	own_fd int fs = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fs < 0 ? err_sys(e, "open layer %.19s", layer)
		      : storage_squash_add(to_fd, fs, &options, e);
}

int engine_copied_fill(struct engine *engine, const struct container *c, int upper_fd,
		       struct err *e)
{
	const struct oci_id_map ids = { c->security.ids.uids, c->security.ids.gids };
	int r = 0;

	if (!c->storage.copied)
		return 0;
	for (size_t i = 0; r == 0 && i < c->image.layers.count; i++)
		r = add_layer(engine, c->image.layers.items[i], upper_fd, &ids, e);
	if (r == -EPERM)
		err_hint(e,
			 "%s may be on a filesystem that gives files no other owners (FUSE); "
			 "--root DIR (or HOLM_ROOT) on ext4, xfs, btrfs does it",
			 engine->store->root);
	return r < 0 ? err_add(e, "copy the image") : 0;
}

int engine_copied_clone(const struct container *c, int from_fd, const struct runtime_idmap *ids,
			int folder_fd, struct err *e)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap shift = { 0 };

	runtime_idmap_shift(&shift, ids, &c->security.ids);
	const struct oci_id_map map = { shift.uids, shift.gids };
	struct copy_options all = { .all_attributes = true, .context = &map };
	if (shift.uids.count || shift.gids.count)
		all.map = oci_id_map_shift_owner;
	if (mkdirat(folder_fd, "work", 0700) < 0)
		return err_sys(e, "make the container's work folder");
	int r = copy_tree_at(from_fd, "upper", folder_fd, "upper", &all, e);
	if (r < 0)
		return r;
	int fd = openat(folder_fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the container's root") : fd;
}

int engine_copied_check(const struct container *c, struct err *e)
{
	if (!c->storage.copied)
		return 0;
	err_set(e, ERR_UNSUPPORTED,
		"the root of container %s is a copy of its image: there is no layer of what it "
		"changed",
		c->name);
	return err_hint(e,
			"holm clone keeps it as it is now, holm export has all of it; --root DIR "
			"on ext4, xfs or btrfs lets new containers have layers");
}
