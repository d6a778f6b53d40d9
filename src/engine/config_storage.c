#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/config_mount.h"
#include "oci/image.h"

static struct container_mount *find_mount(struct container_storage *s, const char *target)
{
	for (size_t i = 0; i < s->mounts.count; i++)
		if (str_equal(s->mounts.items[i].target, target))
			return &s->mounts.items[i];
	return NULL;
}

static int check_twice(struct container_storage *s, struct err *e)
{
	for (size_t i = 0; i < s->mounts.count; i++) {
		const char *target = s->mounts.items[i].target;
		if (find_mount(s, target) != &s->mounts.items[i])
			return err_set(e, ERR_INVALID,
				       "two mounts have the target %s (--volume, --mount, "
				       "--tmpfs)",
				       target);
	}
	return 0;
}

/* The image's own VOLUMEs are anonymous volumes, filled from what the image has there. What
 * --volumes-from brings takes their place, too, so create.c drops those again. */
static int add_image_volumes(struct container_storage *s, const struct create_options *o,
			     const struct oci_image_process *image, struct err *e)
{
	static const char *const words[] = { "anonymous", "tmpfs", "ignore", NULL };
	bool tmpfs = str_equal(o->image_volume, "tmpfs");

	if (o->image_volume && !config_is_one_of(o->image_volume, words))
		return err_set(e, ERR_INVALID,
			       "--image-volume %s: not one of anonymous, tmpfs, ignore",
			       o->image_volume);
	if (str_equal(o->image_volume, "ignore"))
		return 0;
	for (size_t i = 0; image && i < image->volumes.count; i++) {
		own_free char *slashed = path_join("/", image->volumes.items[i]);
		own_free char *target = NULL;
		if (config_mount_target(&target, slashed, e) < 0)
			return err_add(e, "the image's volume '%s'", image->volumes.items[i]);
		if (find_mount(s, target))
			continue;
		struct container_mount *mount = shape_list_add(&s->mounts);
		mount->type = mem_text(tmpfs ? "tmpfs" : "volume");
		mount->target = take_ptr(&target);
		mount->anonymous = !tmpfs;
		mount->of_image = true;
	}
	return 0;
}

static int add_volumes_from(struct container_storage *s, const struct create_options *o,
			    struct err *e)
{
	static const char *const modes[] = { "ro", "rw", "z", "Z", NULL };

	for (size_t i = 0; i < o->volumes_from.count; i++) {
		const char *text = o->volumes_from.items[i];
		const char *colon = strchr(text, ':');
		if (!*text || colon == text || (colon && !config_is_one_of(colon + 1, modes)))
			return err_set(e, ERR_INVALID,
				       "--volumes-from '%s': not CONTAINER[:ro|rw|z|Z]", text);
		strv_add(&s->volumes_from, text);
	}
	return 0;
}

int config_storage_size(int64_t *ret, const char *text, struct err *e)
{
	if (str_equal(text, "0") || str_equal(text, "none")) {
		*ret = 0;
		return 0;
	}
	int r = number_parse_bytes(ret, text, e);
	return r == 0 && *ret == 0 ? err_set(e, ERR_INVALID, "'%s': more than 0", text) : r;
}

static int add_storage_opts(struct container_storage *s, const struct strv *options, struct err *e)
{
	for (size_t i = 0; i < options->count; i++) {
		const char *text = options->items[i];
		if (!str_starts(text, "size=")) {
			err_set(e, ERR_INVALID, "--storage-opt '%s': not size=SIZE", text);
			return err_hint(e, "as in --storage-opt size=10g: what the container may "
					   "write");
		}
		if (config_storage_size(&s->size, text + strlen("size="), e) < 0)
			return err_add(e, "--storage-opt size");
	}
	return 0;
}

int config_storage(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	static const char *const words[] = { "strict", "fixed", "flexible", NULL };
	struct container_storage *s = &c->storage;

	if (o->immutable && !config_is_one_of(o->immutable, words))
		return err_set(e, ERR_INVALID, "--immutable %s: not one of strict, fixed, flexible",
			       o->immutable);
	s->immutable = mem_text(o->immutable);
	s->read_only = o->read_only || o->immutable;
	s->shm_bytes = CONTAINER_SHM_BYTES;
	if (o->shm_size) {
		if (number_parse_bytes(&s->shm_bytes, o->shm_size, e) < 0)
			return err_add(e, "--shm-size");
		if (s->shm_bytes == 0)
			return err_set(e, ERR_INVALID, "--shm-size %s: more than 0", o->shm_size);
	}
	int r = add_storage_opts(s, &o->storage_opt, e);
	if (r == 0)
		r = config_mount_add(s, &o->volume, &o->mount, &o->tmpfs, context->folder, e);
	if (r == 0)
		r = check_twice(s, e);
	if (r == 0)
		r = add_image_volumes(s, o, image, e);
	if (r == 0)
		r = add_volumes_from(s, o, e);
	return r;
}
