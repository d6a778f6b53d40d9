#include "engine/image_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/tree.h"
#include "oci/digest.h"
#include "storage/store.h"

/* Below the run folder. */
static char *place_of(const char *digest)
{
	const char *hex = oci_digest_hex(digest);

	return mem_format("images/%s", hex ? hex : "invalid");
}

char *engine_image_mount_path(struct engine *engine, const char *digest)
{
	own_free char *place = place_of(digest);

	return mem_format("%s/%s", engine->store->run, place);
}

bool engine_image_is_mounted(struct engine *engine, const char *digest)
{
	own_free char *place = place_of(digest);

	return faccessat(engine->store->run_fd, place, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* overlayfs takes a folder once: of a layer that is there twice the upper one counts. The first
 * count layers, lowest first. */
static void list_layers(struct strv *to, const struct storage_image *image, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *hex = oci_digest_hex(image->config.rootfs.diff_ids.items[i]);
		for (size_t k = 0; hex && k < to->count; k++)
			if (str_equal(to->items[k], hex))
				strv_remove(to, k--);
		if (hex)
			strv_add(to, hex);
	}
}

static int open_files(struct engine *engine, const struct storage_image *image, size_t count,
		      struct err *e)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	list_layers(&layers, image, count);
	if (layers.count)
		return engine_tree_open_image(engine, &layers, e);
	/* no layer: nothing at all */
	if (mkdirat(engine->store->run_fd, "empty", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make an empty folder");
	int fd = openat(engine->store->run_fd, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open an empty folder") : fd;
}

/* ---- mount ---- */

static bool is_mount(int run_fd, const char *place)
{
	struct statx st;

	return statx(run_fd, place, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int mount_at(struct engine *engine, const struct storage_image *image, const char *place,
		    struct err *e)
{
	int run_fd = engine->store->run_fd;

	own_fd int fd = open_files(engine, image, image->config.rootfs.diff_ids.count, e);
	if (fd < 0)
		return fd;
	if (move_mount(fd, "", run_fd, place, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount the image");
	return 0;
}

/* An ordinary user's holm has a mount namespace of its own, unless who called it is in there. */
static int check_seen(struct err *e)
{
	own_free char *callers = mem_format("/proc/%d/ns/mnt", (int)getppid());
	struct stat ours, theirs;

	/* of a process in a user namespace above ours nobody tells */
	if (!user_ids_are_mapped() || stat("/proc/self/ns/mnt", &ours) < 0 || getppid() == 0 ||
	    (stat(callers, &theirs) == 0 && ours.st_ino == theirs.st_ino))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "what an ordinary user mounts is seen by nobody outside");
	return err_hint(e,
			"in the shell of holm unshare it is: holm unshare, then holm image mount");
}

int engine_image_mount(struct engine *engine, const char *name, char **ret_path, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	int run_fd = engine->store->run_fd;

	own_fd int lock = store_lock_layers_shared(engine->store, e);
	if (lock < 0)
		return lock;
	int r = check_seen(e);
	if (r == 0)
		r = engine_image_find(engine, name, &image, NULL, e);
	if (r == 0)
		r = storage_image_check_layers(&image, engine->store, e);
	if (r < 0)
		return r;
	own_free char *place = place_of(image.digest);
	if ((mkdirat(run_fd, "images", 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(run_fd, place, 0700) < 0 && errno != EEXIST))
		return err_sys(e, "make folder %s", place);
	if (!is_mount(run_fd, place))
		r = mount_at(engine, &image, place, e);
	if (r < 0)
		unlinkat(run_fd, place, AT_REMOVEDIR);
	else
		*ret_path = engine_image_mount_path(engine, image.digest);
	return r;
}

int engine_image_unmount(struct engine *engine, const char *name, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = engine_image_find(engine, name, &image, NULL, e);
	if (r < 0)
		return r;
	if (!engine_image_is_mounted(engine, image.digest))
		return err_set(e, ERR_STATE, "the image is not mounted");
	own_free char *place = place_of(image.digest);
	own_free char *path = engine_image_mount_path(engine, image.digest);
	while (is_mount(engine->store->run_fd, place))
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return err_sys(e, "unmount %s", path);
	if (unlinkat(engine->store->run_fd, place, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove folder %s", path);
	return 0;
}

int engine_image_mounts(struct engine *engine, struct strv *to, struct err *e)
{
	int fd = openat(engine->store->run_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open images");
	while ((entry = readdir(dir)))
		if (oci_digest_is_hex(entry->d_name))
			strv_addf(to, "sha256:%s", entry->d_name);
	return 0;
}

/* ---- diff ---- */

int engine_image_diff(struct engine *engine, const char *name, const char *old,
		      struct storage_changes *ret, struct err *e)
{
	static const struct storage_changes_options options;
	own_clear(storage_image_clear) struct storage_image image = { 0 }, before = { 0 };

	own_fd int lock = store_lock_layers_shared(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_image_find(engine, name, &image, NULL, e);
	if (r == 0)
		r = engine_image_find(engine, old ? old : name, &before, NULL, e);
	if (r < 0)
		return r;
	size_t count = before.config.rootfs.diff_ids.count;
	own_fd int new_fd = open_files(engine, &image, image.config.rootfs.diff_ids.count, e);
	if (new_fd < 0)
		return new_fd;
	own_fd int old_fd = open_files(engine, &before, count && !old ? count - 1 : count, e);
	return old_fd < 0 ? old_fd : storage_changes_find(ret, old_fd, new_fd, &options, e);
}
