#include "engine/shifted.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "runtime/idmap.h"
#include "runtime/overlay_lower.h"
#include "storage/layer.h"
#include "storage/shifted.h"
#include "storage/store.h"

/* The layers that are to be one, and the ids that they borrow. */
struct plan {
	struct storage_shifted shifted;
	SHAPE_LIST_OF(struct runtime_idmap) ids;
	size_t frozen; /* how many groups of frozen ones are among them */
};

static void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->ids.count; i++)
		runtime_idmap_clear(&plan->ids.items[i]);
	free(plan->ids.items);
	free(plan->shifted.parts.items);
}

static bool has_own_ids(const struct container *c)
{
	return c->security.ids.uids.count && user_ids_are_mapped();
}

/* One whose root is a copy of its image (copied.h) is compared with that. */
static bool is_needed(const struct container *c, bool image_only)
{
	return has_own_ids(c) && c->image.layers.count && !c->image.in_place &&
	       (image_only || !c->storage.copied);
}

static bool is_needed_by(const struct container *c, const struct container_mount *mount)
{
	return has_own_ids(c) && mount->layers.count;
}

/* Owners on the disk, and those that are wanted; nothing where they are the same. An image's are
 * on the disk as in a container. */
static void shift(struct runtime_idmap *ret, const struct container *c,
		  const struct runtime_idmap *from)
{
	const struct runtime_idmap *ids = &c->security.ids;

	if (from && from->uids.count)
		runtime_idmap_shift(ret, from, ids);
	else
		runtime_idmap_copy(ret, &ids->uids, &ids->gids);
}

static void add_layers(struct plan *plan, const struct container *c, const struct strv *layers,
		       const struct runtime_idmap *from)
{
	struct runtime_idmap ids = { 0 };

	shift(&ids, c, from);
	for (size_t i = 0; i < layers->count; i++) {
		struct storage_shifted_part *part = shape_list_add(&plan->shifted.parts);
		*part = (struct storage_shifted_part){ layers->items[i], { ids.uids, ids.gids } };
	}
	struct runtime_idmap *kept = shape_list_add(&plan->ids);
	*kept = ids;
}

/* From the bottom up to the last layer that has other owners than it is to have: files without
 * bytes must be in the lowest layer but those with data alone (ovl_lookup(),
 * fs/overlayfs/namei.c). */
static void make_plan(struct plan *plan, const struct container *c, bool image_only)
{
	for (size_t i = 0; !image_only && i < c->storage.frozen.count; i++) {
		own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };
		shift(&ids, c, &c->storage.frozen.items[i].ids);
		if (ids.uids.count || ids.gids.count)
			plan->frozen = i + 1;
	}
	add_layers(plan, c, &c->image.layers, NULL);
	for (size_t i = 0; i < plan->frozen; i++)
		add_layers(plan, c, &c->storage.frozen.items[i].layers,
			   &c->storage.frozen.items[i].ids);
}

static void add_data(struct runtime_overlay *to, const struct store *store,
		     const struct storage_shifted *shifted)
{
	for (size_t i = shifted->parts.count; i-- > 0;)
		strv_add_take(&to->data, storage_layer_path(store, shifted->parts.items[i].layer));
}

bool engine_shifted_add(struct runtime_overlay *to, const struct store *store,
			const struct container *c, bool image_only)
{
	own_clear(plan_clear) struct plan plan = { 0 };
	bool redirected;

	if (!is_needed(c, image_only))
		return false;
	make_plan(&plan, c, image_only);
	for (size_t i = c->storage.frozen.count; !image_only && i-- > plan.frozen;) {
		const struct strv *layers = &c->storage.frozen.items[i].layers;
		for (size_t k = layers->count; k-- > 0;)
			runtime_overlay_lower_add_shifted(
				to, storage_layer_path(store, layers->items[k]));
	}
	runtime_overlay_lower_add_shifted(to,
					  storage_shifted_path(&redirected, store, &plan.shifted));
	if (redirected)
		add_data(to, store, &plan.shifted);
	return true;
}

bool engine_shifted_add_image(struct strv *options, const struct store *store,
			      const struct container *c, const struct container_mount *mount)
{
	own_clear(plan_clear) struct plan plan = { 0 };
	bool redirected;

	if (!is_needed_by(c, mount))
		return false;
	add_layers(&plan, c, &mount->layers, NULL);
	own_free char *path = storage_shifted_path(&redirected, store, &plan.shifted);
	strv_addf(options, "lower=%s", path);
	for (size_t i = mount->layers.count; redirected && i-- > 0;) {
		own_free char *layer = storage_layer_path(store, mount->layers.items[i]);
		strv_addf(options, "data=%s", layer);
	}
	return true;
}

static int make(struct engine *engine, const struct plan *plan, struct err *e)
{
	if (storage_shifted_is_there(engine->store, &plan->shifted))
		return 0;
	own_free char *layers = path_join(engine->store->root, "layers");
	own_free char *names = path_join(engine->store->root, "names");
	return storage_shifted_make(engine->store, &plan->shifted,
				    runtime_overlay_takes_data(names, layers), e);
}

static int make_image(struct engine *engine, const struct container *c,
		      const struct container_mount *mount, struct err *e)
{
	own_clear(plan_clear) struct plan plan = { 0 };

	add_layers(&plan, c, &mount->layers, NULL);
	return make(engine, &plan, e);
}

int engine_shifted_make(struct engine *engine, const struct container *c, bool image_only,
			struct err *e)
{
	own_clear(plan_clear) struct plan plan = { 0 };
	int r = 0;

	if (is_needed(c, image_only)) {
		make_plan(&plan, c, image_only);
		r = make(engine, &plan, e);
	}
	for (size_t i = 0; r == 0 && !image_only && i < c->storage.mounts.count; i++)
		if (is_needed_by(c, &c->storage.mounts.items[i]))
			r = make_image(engine, c, &c->storage.mounts.items[i], e);
	return r;
}

/* ---- removing ---- */

static void keep(struct strv *keys, const struct plan *plan)
{
	char key[SHIFTED_KEY_SIZE];

	storage_shifted_key(key, &plan->shifted);
	if (!strv_contains(keys, key))
		strv_add(keys, key);
}

static void keep_root(struct strv *keys, const struct container *c, bool image_only)
{
	own_clear(plan_clear) struct plan plan = { 0 };

	make_plan(&plan, c, image_only);
	keep(keys, &plan);
}

static void keep_image(struct strv *keys, const struct container *c,
		       const struct container_mount *mount)
{
	own_clear(plan_clear) struct plan plan = { 0 };

	add_layers(&plan, c, &mount->layers, NULL);
	keep(keys, &plan);
}

static int keep_record(struct strv *keys, struct engine *engine, const char *id, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };

	int r = record_read(engine, id, &c, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	for (int image_only = 0; image_only < 2; image_only++)
		if (is_needed(&c, image_only))
			keep_root(keys, &c, image_only);
	for (size_t i = 0; i < c.storage.mounts.count; i++)
		if (is_needed_by(&c, &c.storage.mounts.items[i]))
			keep_image(keys, &c, &c.storage.mounts.items[i]);
	return 0;
}

static int keep_records(struct strv *keys, struct engine *engine, struct err *e)
{
	int fd = openat(engine->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return err_sys(e, "list the containers");
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (strlen(entry->d_name) == CONTAINER_ID_LENGTH)
			r = keep_record(keys, engine, entry->d_name, e);
	return r;
}

int engine_shifted_prune(struct engine *engine, uint64_t *bytes, struct err *e)
{
	own_clear(strv_clear) struct strv keys = { 0 };

	if (!user_ids_are_mapped())
		return 0;
	own_fd int lock = store_lock_layers_exclusive(engine->store, false, e);
	if (lock < 0)
		return e->kind == ERR_STATE ? 0 : lock; /* the next one does it */
	int r = keep_records(&keys, engine, e);
	return r < 0 ? r : storage_shifted_prune(engine->store, &keys, bytes, e);
}
