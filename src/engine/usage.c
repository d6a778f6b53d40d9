#include "engine/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/image_mount.h"
#include "engine/usage_frozen.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/store.h"
#include "storage/tree.h"

static void clear_image(struct usage_image *image)
{
	free(image->digest);
	free(image->id);
	strv_clear(&image->references);
	free(image->parts);
}

void engine_usage_clear(struct engine_usage *usage)
{
	storage_usage_clear(&usage->store);
	for (size_t i = 0; i < usage->images.count; i++)
		clear_image(&usage->images.items[i]);
	free(usage->images.items);
	engine_rows_clear(&usage->rows);
	free(usage->container_bytes);
	free(usage->holders);
	free(usage->frozen_own);
	for (size_t i = 0; i < usage->volumes.count; i++)
		free(usage->volumes.items[i].name);
	free(usage->volumes.items);
	*usage = (struct engine_usage){ 0 };
}

/* ---- images ---- */

static struct usage_image *find_image(struct engine_usage *usage, const char *digest)
{
	for (size_t i = 0; i < usage->images.count; i++)
		if (str_equal(usage->images.items[i].digest, digest))
			return &usage->images.items[i];
	return NULL;
}

static size_t count_containers(const struct engine_rows *rows, const struct storage_entry *entry)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct container_image *image = &rows->items[i].container.image;
		count += str_equal(image->digest, entry->digest) ||
			 (entry->id && str_equal(image->id, entry->id));
	}
	return count;
}

static void add_image(struct engine *engine, struct engine_usage *usage,
		      const struct storage_entry *entry)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct usage_image *to = find_image(usage, entry->digest);
	struct err ignored;

	if (!to && storage_image_read(&image, engine->store, entry->digest, &ignored) == 0) {
		to = shape_list_add(&usage->images);
		to->digest = mem_text(entry->digest);
		to->id = mem_text(image.manifest.config.digest);
		to->parts_count = storage_usage_image(&usage->store, &image, true, &to->parts);
		to->containers = count_containers(&usage->rows, entry);
		to->mounted = engine_image_is_mounted(engine, entry->digest);
		to->used_ns = storage_image_used_ns(engine->store, entry->digest);
		for (size_t i = 0; i < to->parts_count; i++)
			usage->store.parts.items[to->parts[i]].users++;
	}
	if (to && entry->reference)
		strv_add(&to->references, entry->reference);
}

/* What no image that is in use needs. */
static void sum_up(struct engine_usage *usage)
{
	bool *needed = mem_new(usage->store.parts.count + 1, sizeof(bool));

	usage->images_reclaimable = 0;
	for (size_t i = 0; i < usage->images.count; i++) {
		struct usage_image *image = &usage->images.items[i];
		for (size_t k = 0; k < image->parts_count; k++) {
			const struct storage_part *part =
				&usage->store.parts.items[image->parts[k]];
			image->bytes += part->bytes;
			image->shared += part->users > 1 ? part->bytes : 0;
			needed[image->parts[k]] |= image->containers || image->mounted;
		}
	}
	for (size_t i = 0; i < usage->store.parts.count; i++)
		if (!needed[i] && !usage->holders[i])
			usage->images_reclaimable += usage->store.parts.items[i].bytes;
	free(needed);
}

int engine_usage_images(struct engine *engine, struct engine_usage *ret, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct list_options all = { .all = true };

	int r = engine_list(engine, &all, &ret->rows, e);
	if (r == 0)
		r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = storage_usage_read(&ret->store, engine->store, e);
	if (r == 0)
		r = usage_frozen_read(engine, ret, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++)
		add_image(engine, ret, &index.entries.items[i]);
	if (r == 0)
		sum_up(ret);
	return r;
}

/* ---- containers ---- */

static int read_containers(struct engine *engine, struct engine_usage *to, struct err *e)
{
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };

	to->container_bytes = mem_new(to->rows.count + 1, sizeof(uint64_t));
	for (size_t i = 0; i < to->rows.count; i++) {
		own_clear(tree_seen_clear) struct tree_seen own = { 0 };
		int r = storage_tree_add_at(&own, engine->containers_fd,
					    to->rows.items[i].container.id, &to->container_bytes[i],
					    e);
		if (r < 0)
			return err_add(e, "measure container %s", to->rows.items[i].container.name);
		to->container_bytes[i] += to->frozen_own[i];
	}
	to->containers_bytes = to->frozen_bytes;
	int r = storage_tree_add(&seen, engine->containers_fd, &to->containers_bytes, e);
	return r < 0 ? err_add(e, "measure the containers") : 0;
}

/* ---- volumes ---- */

static size_t count_links(const struct engine_rows *rows, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct container_storage *s = &rows->items[i].container.storage;
		for (size_t k = 0; k < s->mounts.count; k++)
			if (str_equal(s->mounts.items[k].name, name)) {
				count++;
				break;
			}
	}
	return count;
}

static int read_volumes(struct engine *engine, struct engine_usage *to, struct err *e)
{
	own_clear(storage_volumes_clear) struct storage_volumes volumes = { 0 };
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };

	int r = storage_volume_list(&volumes, engine->store, e);
	for (size_t i = 0; r == 0 && i < volumes.items.count; i++) {
		const char *name = volumes.items.items[i].name;
		struct usage_volume *row = shape_list_add(&to->volumes);
		row->name = mem_text(name);
		row->links = count_links(&to->rows, name);
		r = storage_volume_size(engine->store, name, &row->bytes, e);
		if (r < 0 && e->kind == ERR_NOT_FOUND)
			r = 0; /* removed meanwhile */
		if (r < 0)
			err_add(e, "volume %s", name);
	}
	if (r == 0)
		r = storage_tree_add_at(&seen, engine->store->root_fd, "volumes",
					&to->volumes_bytes, e);
	return r < 0 ? err_add(e, "measure the volumes") : 0;
}

int engine_usage_read(struct engine *engine, struct engine_usage *ret, struct err *e)
{
	int r = engine_usage_images(engine, ret, e);

	if (r == 0)
		r = read_containers(engine, ret, e);
	return r < 0 ? r : read_volumes(engine, ret, e);
}
