#include "engine/lower.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/container.h"
#include "engine/shifted.h"
#include "runtime/overlay_lower.h"
#include "storage/layer.h"

static void add_frozen(struct runtime_overlay *to, const struct store *store,
		       const struct container *c)
{
	for (size_t i = c->storage.frozen.count; i-- > 0;) {
		const struct container_frozen *frozen = &c->storage.frozen.items[i];
		for (size_t k = frozen->layers.count; k-- > 0;)
			runtime_overlay_lower_add(
				to, storage_layer_path(store, frozen->layers.items[k]),
				&frozen->ids, &c->security.ids);
	}
}

void engine_lower_add(struct runtime_overlay *to, const struct store *store,
		      const struct container *c, bool image_only)
{
	if (!engine_shifted_add(to, store, c, image_only)) {
		if (!image_only)
			add_frozen(to, store, c);
		for (size_t i = c->image.layers.count; i-- > 0;)
			strv_add_take(&to->lower,
				      storage_layer_path(store, c->image.layers.items[i]));
	}
	if (c->image.rootfs)
		strv_add(&to->lower, c->image.rootfs);
	for (size_t i = c->storage.lower.count; i-- > 0;)
		strv_add(&to->lower, c->storage.lower.items[i]);
}

size_t engine_lower_count_frozen(const struct container *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->storage.frozen.count; i++)
		count += c->storage.frozen.items[i].layers.count;
	return count;
}

void engine_lower_list_frozen(struct strv *to, const struct container *c)
{
	for (size_t i = 0; i < c->storage.frozen.count; i++)
		strv_add_all(to, &c->storage.frozen.items[i].layers);
}

static struct container_frozen *add_group(struct container *c, const struct runtime_idmap *ids)
{
	struct container_frozen *group = shape_list_add(&c->storage.frozen);

	*group = (struct container_frozen){ 0 };
	runtime_idmap_copy(&group->ids, &ids->uids, &ids->gids);
	return group;
}

void engine_lower_push_with(struct container *c, const char *layer, const struct runtime_idmap *ids)
{
	size_t count = c->storage.frozen.count;
	struct container_frozen *top = count ? &c->storage.frozen.items[count - 1] : NULL;

	if (!top || !runtime_idmap_is_same(&top->ids, ids))
		top = add_group(c, ids);
	strv_add(&top->layers, layer);
}

void engine_lower_push(struct container *c, const char *layer)
{
	engine_lower_push_with(c, layer, &c->security.ids);
}

static void clear(struct container *c)
{
	for (size_t i = 0; i < c->storage.frozen.count; i++) {
		strv_clear(&c->storage.frozen.items[i].layers);
		runtime_idmap_clear(&c->storage.frozen.items[i].ids);
	}
	free(c->storage.frozen.items);
	c->storage.frozen.items = NULL;
	c->storage.frozen.count = 0;
}

void engine_lower_replace(struct container *to, const struct container *from)
{
	clear(to);
	for (size_t i = 0; i < from->storage.frozen.count; i++) {
		const struct container_frozen *group = &from->storage.frozen.items[i];
		strv_add_all(&add_group(to, &group->ids)->layers, &group->layers);
	}
}
