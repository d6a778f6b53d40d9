#include "engine/volume_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "storage/store.h"
#include "storage/volume.h"

/* mount(8), "Filesystem-independent mount options"; the rest is the filesystem's. */
static const struct {
	const char *word;
	unsigned long flag;
} words[] = {
	{ "ro", MS_RDONLY },         { "nosuid", MS_NOSUID },       { "nodev", MS_NODEV },
	{ "noexec", MS_NOEXEC },     { "noatime", MS_NOATIME },     { "nodiratime", MS_NODIRATIME },
	{ "relatime", MS_RELATIME }, { "sync", MS_SYNCHRONOUS },    { "dirsync", MS_DIRSYNC },
	{ "bind", MS_BIND },         { "rbind", MS_BIND | MS_REC }, { "rw", 0 },
	{ "defaults", 0 },
};

static bool take_flag(const char *word, unsigned long *flags)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i].word, word) == 0) {
			*flags |= words[i].flag;
			return true;
		}
	return false;
}

struct plan {
	const char *type;
	const char *device;
	unsigned long flags;
	char *data;
};

static void plan_clear(struct plan *plan)
{
	free(plan->data);
}

static void make_plan(const struct storage_volume *volume, struct plan *to)
{
	own_clear(strv_clear) struct strv options = { 0 }, rest = { 0 };
	const char *o = shape_map_get(&volume->options, "o");

	to->type = shape_map_get(&volume->options, "type");
	to->device = shape_map_get(&volume->options, "device");
	strv_split(&options, o ? o : "", ',');
	for (size_t i = 0; i < options.count; i++)
		if (!take_flag(options.items[i], &to->flags))
			strv_add(&rest, options.items[i]);
	const char *size = shape_map_get(&volume->options, "size");
	if (size)
		strv_addf(&rest, "size=%s", size);
	to->data = strv_join(&rest, ",");
}

int engine_volume_mount_check(const struct storage_volume *volume, struct err *e)
{
	static const char *const keys[] = { "type", "device", "o", "size" };
	const char *type = shape_map_get(&volume->options, "type");
	const char *device = shape_map_get(&volume->options, "device");
	own_clear(plan_clear) struct plan plan = { 0 };

	for (size_t i = 0; i < volume->options.count; i++) {
		bool known = false;
		for (size_t k = 0; k < COUNT_OF(keys); k++)
			known = known || str_equal(keys[k], volume->options.items[i].key);
		if (!known)
			return err_set(e, ERR_INVALID,
				       "--opt: '%s' is none of type, device, o, size",
				       volume->options.items[i].key);
	}
	if (!volume->options.count)
		return 0;
	make_plan(volume, &plan);
	bool tmpfs = str_equal(type, "tmpfs");
	if (!type && !(plan.flags & MS_BIND))
		return err_set(e, ERR_INVALID,
			       "--opt type is missing: tmpfs, nfs, ext4, or none "
			       "with o=bind");
	if (shape_map_get(&volume->options, "size") && !tmpfs)
		return err_set(e, ERR_INVALID, "--opt size is for type=tmpfs");
	if (str_empty(device) && !tmpfs)
		return err_set(e, ERR_INVALID, "--opt device is missing");
	if ((plan.flags & MS_BIND) && *device != '/')
		return err_set(e, ERR_INVALID, "--opt device: '%s' is not an absolute path",
			       device);
	return 1;
}

/* Another device, or (a bind of the same filesystem) another mount than the folder above. */
static bool is_mounted(int folder_fd)
{
	struct statx above, data;

	return statx(folder_fd, "data", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &data) == 0 &&
	       statx(folder_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &above) == 0 &&
	       (data.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int lock_volume(struct engine *engine, const char *name, struct err *e)
{
	own_free char *path = mem_format("volumes/%s", name);
	int fd = store_lock_folder(engine->store->root_fd, path, LOCK_EX, e);

	return fd == -ENOENT ? err_set(e, ERR_NOT_FOUND, "no volume is called %s", name) : fd;
}

static int mount_plan(const struct plan *plan, int folder_fd, struct err *e)
{
	char target[64];
	unsigned long bind = plan->flags & (MS_BIND | MS_REC);
	const char *device = str_empty(plan->device) ? plan->type : plan->device;

	own_fd int data = openat(folder_fd, "data", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (data < 0)
		return err_sys(e, "open its folder");
	snprintf(target, sizeof(target), "/proc/self/fd/%d", data);
	if (mount(device, target, bind ? NULL : plan->type, bind ? bind : plan->flags, plan->data) <
	    0)
		return err_sys(e, "mount %s", device);
	if (!bind || plan->flags == bind)
		return 0;
	own_fd int there = openat(folder_fd, "data", O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", there);
	if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | plan->flags, NULL) < 0)
		return err_sys(e, "set the flags of %s", device);
	return 0;
}

int engine_volume_mount(struct engine *engine, const char *name, struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	own_clear(plan_clear) struct plan plan = { 0 };

	int r = storage_volume_read(&volume, engine->store, name, e);
	if (r == 0)
		r = engine_volume_mount_check(&volume, e);
	if (r <= 0)
		return r;
	own_fd int lock = lock_volume(engine, name, e);
	if (lock < 0)
		return lock;
	if (is_mounted(lock))
		return 0;
	make_plan(&volume, &plan);
	r = mount_plan(&plan, lock, e);
	return r < 0 ? err_add(e, "volume %s", name) : 0;
}

int engine_volume_unmount(struct engine *engine, const char *name, struct err *e)
{
	int r = storage_volume_check_name(name, e);
	if (r < 0)
		return r;
	own_fd int lock = lock_volume(engine, name, e);
	if (lock < 0)
		return lock;
	own_free char *data = storage_volume_path(engine->store, name);
	while (is_mounted(lock))
		if (umount2(data, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return err_sys(e, "unmount volume %s", name);
	return 0;
}
