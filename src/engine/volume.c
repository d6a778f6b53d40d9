#include "engine/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config_mount.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image.h"
#include "engine/name.h"
#include "engine/record.h"
#include "engine/volume_mount.h"
#include "storage/volume.h"

/* ---- --volumes-from ---- */

static struct container_mount *find_mount(struct container_storage *s, const char *target)
{
	for (size_t i = 0; i < s->mounts.count; i++)
		if (str_equal(s->mounts.items[i].target, target))
			return &s->mounts.items[i];
	return NULL;
}

static void copy_mount(struct container_mount *to, const struct container_mount *from)
{
	struct err impossible;
	own_json struct json_object *object = shape_write(&container_mount_shape, from);

	shape_read(&container_mount_shape, object, to, &impossible);
}

static void take_mounts(struct container *c, const struct container *other, const char *mode)
{
	for (size_t i = 0; i < other->storage.mounts.count; i++) {
		const struct container_mount *from = &other->storage.mounts.items[i];
		struct container_mount *to = find_mount(&c->storage, from->target);
		/* tmpfs is each container's own; what a person asked for goes first */
		if (str_equal(from->type, "tmpfs") || (to && !to->of_image))
			continue;
		if (to)
			container_mount_clear(to);
		else
			to = shape_list_add(&c->storage.mounts);
		copy_mount(to, from);
		to->anonymous = to->of_image = false;
		if (str_equal(mode, "ro"))
			to->read_only = true;
	}
}

static int take_volumes_from(struct engine *engine, struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->storage.volumes_from.count; i++) {
		own_free char *name = mem_text(c->storage.volumes_from.items[i]);
		own_clear(container_clear) struct container other = { 0 };
		char *colon = strchr(name, ':');
		if (colon)
			*colon++ = '\0';
		int r = engine_load(engine, name, &other, NULL, e);
		if (r < 0)
			return err_add(e, "--volumes-from");
		take_mounts(c, &other, colon);
	}
	return 0;
}

/* ---- sources ---- */

static int resolve_image(struct engine *engine, struct container_mount *mount, bool quiet,
			 struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = { .name = mount->source, .quiet = quiet };

	int r = engine_image_resolve(engine, &request, &found, &image, e);
	if (r < 0)
		return err_add(e, "--mount type=image");
	mount->layers = found.layers;
	mount->digest = found.digest;
	found.layers = (struct strv){ 0 };
	found.digest = NULL;
	shape_clear(&container_image_shape, &found);
	return 0;
}

int engine_volume_check_source(const struct container_mount *mount, struct err *e)
{
	struct stat st;

	if (mount->create_source || stat(mount->source, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, "--mount: the source %s", mount->source);
	err_set(e, ERR_INVALID, "--mount: the source %s does not exist", mount->source);
	return err_hint(e, "make it first; --volume makes a missing folder by itself");
}

int engine_volume_resolve(struct engine *engine, struct container *c, bool quiet, struct err *e)
{
	int r = take_volumes_from(engine, c, e);

	for (size_t i = 0; r == 0 && i < c->storage.mounts.count; i++) {
		struct container_mount *mount = &c->storage.mounts.items[i];
		if (str_equal(mount->type, "image"))
			r = resolve_image(engine, mount, quiet, e);
		else if (str_equal(mount->type, "bind"))
			r = engine_volume_check_source(mount, e);
		if (mount->anonymous && !mount->name) {
			char name[CONTAINER_ID_LENGTH + 1];
			engine_id_generate(name);
			mount->name = mem_text(name);
		}
	}
	return r;
}

/* ---- making ---- */

/* The missing folders of a path that a person named on their own host. */
static int make_folder(const char *path, struct err *e)
{
	own_free char *part = mem_text(path);
	struct stat st;

	if (stat(path, &st) == 0)
		return 0;
	for (char *c = part + 1;; c++) {
		if (*c && *c != '/')
			continue;
		char kept = *c;
		*c = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "--volume: make the folder %s", part);
		*c = kept;
		if (!kept)
			return 0;
	}
}

static int make_volume(struct engine *engine, struct container_mount *mount, struct err *e)
{
	struct storage_volume volume = {
		.name = mount->name,
		.driver = "local",
		.anonymous = mount->anonymous,
		.labels = mount->volume_labels,
	};
	int r = storage_volume_create(engine->store, &volume, e);

	if (r < 0)
		return err_add(e, "volume %s", mount->name);
	if (r == 0)
		engine_event(engine, "volume", "create", mount->name, "driver", "local", NULL);
	/* it was there, maybe as a filesystem of its own */
	return r > 0 ? engine_volume_mount(engine, mount->name, e) : 0;
}

int engine_volume_make(struct engine *engine, const struct container *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->storage.mounts.count; i++) {
		struct container_mount *mount = &c->storage.mounts.items[i];
		if (str_equal(mount->type, "volume"))
			r = make_volume(engine, mount, e);
		else if (str_equal(mount->type, "bind") && mount->create_source)
			r = make_folder(mount->source, e);
	}
	return r;
}

/* ---- removing ---- */

static bool names_volume(struct engine *engine, const char *id, const char *volume)
{
	own_clear(container_clear) struct container c = { 0 };
	struct err ignored;

	if (record_read(engine, id, &c, &ignored) < 0)
		return ignored.kind != ERR_NOT_FOUND; /* unknown: better kept */
	for (size_t i = 0; i < c.storage.mounts.count; i++)
		if (str_equal(c.storage.mounts.items[i].name, volume))
			return true;
	return false;
}

bool engine_volume_is_used(struct engine *engine, const char *volume, const char *except_id)
{
	int fd = openat(engine->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return true;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strlen(entry->d_name) == CONTAINER_ID_LENGTH &&
		    !str_equal(entry->d_name, except_id) &&
		    names_volume(engine, entry->d_name, volume))
			return true;
	return false;
}

bool engine_volume_has_anonymous(const struct container *c)
{
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (c->storage.mounts.items[i].anonymous)
			return true;
	return false;
}

void engine_volume_remove_anonymous(struct engine *engine, const struct container *c)
{
	struct err ignored;

	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *mount = &c->storage.mounts.items[i];
		if (mount->anonymous && mount->name &&
		    !engine_volume_is_used(engine, mount->name, c->id) &&
		    engine_volume_unmount(engine, mount->name, &ignored) == 0 &&
		    storage_volume_remove(engine->store, mount->name, NULL, &ignored) == 0)
			engine_event(engine, "volume", "destroy", mount->name, "driver", "local",
				     NULL);
	}
}
