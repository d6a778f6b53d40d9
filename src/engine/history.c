#include "engine/history.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/image_step.h"
#include "image/reference.h"
#include "oci/digest.h"
#include "storage/index.h"
#include "storage/layer.h"

void engine_history_clear(struct engine_history *history)
{
	for (size_t i = 0; i < history->steps.count; i++) {
		free(history->steps.items[i].id);
		free(history->steps.items[i].step);
		free(history->steps.items[i].created_by);
		free(history->steps.items[i].comment);
	}
	free(history->steps.items);
	*history = (struct engine_history){ 0 };
}

static uint64_t step_bytes(struct engine *engine, const struct storage_image *image, size_t layer)
{
	struct err ignored;
	uint64_t bytes = 0;

	storage_image_layer_size(image, engine->store, layer, &bytes, &ignored);
	return bytes;
}

/* Lowest first; what the image says nothing about is its first layers. */
static void add_steps(struct engine *engine, const struct storage_image *image,
		      struct engine_history *to)
{
	const struct oci_image_config *config = &image->config;
	const struct strv *layers = &config->rootfs.diff_ids;
	size_t told = 0, layer = 0;
	struct err ignored;

	for (size_t i = 0; i < config->history.count; i++)
		told += !config->history.items[i].empty_layer;
	for (; layer + told < layers->count; layer++)
		shape_list_add(&to->steps)->bytes = step_bytes(engine, image, layer);
	for (size_t i = 0; i < config->history.count; i++) {
		const struct oci_image_history *from = &config->history.items[i];
		struct history_step *step = shape_list_add(&to->steps);
		*step = (struct history_step){ 0 };
		step->created_by = mem_text(from->created_by);
		step->comment = mem_text(from->comment);
		if (from->created)
			moment_parse(&step->created_ns, from->created, &ignored);
		if (!from->empty_layer && layer < layers->count)
			step->bytes = step_bytes(engine, image, layer++);
	}
}

/* What is known of how it was built. first: of those lines that the history has. */
static void add_names(struct engine *engine, const char *name, struct engine_history *to,
		      size_t first)
{
	own_clear(storage_stages_clear) struct storage_stages stages = { 0 };
	size_t number;

	if (!engine_image_step_stages(engine, name, &stages, &number))
		return;
	const struct storage_stage *stage = &stages.items.items[number];
	bool other = number != (size_t)stages.target;
	for (size_t i = 0; i < stage->steps.count; i++) {
		const struct storage_step *from = &stage->steps.items[i];
		size_t line = first + (size_t)from->number;
		if (!from->number || line > to->steps.count)
			continue;
		to->steps.items[line - 1].id = mem_text(from->id);
		to->steps.items[line - 1].step =
			mem_format("%s%s%lld", other ? stage->name : "", other ? "/" : "",
				   (long long)from->number);
	}
}

int engine_history_read(struct engine *engine, const char *name, const char *platform,
			struct engine_history *ret, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = engine_image_find_for(engine, name, platform, &image, NULL, e);
	if (r < 0)
		return r;
	add_steps(engine, &image, ret);
	add_names(engine, name, ret, ret->steps.count - image.config.history.count);
	for (size_t i = 0, k = ret->steps.count; i + 1 < k; i++) {
		struct history_step step = ret->steps.items[i];
		ret->steps.items[i] = ret->steps.items[--k];
		ret->steps.items[k] = step;
	}
	if (ret->steps.count)
		mem_replace(&ret->steps.items[0].id, image.manifest.config.digest);
	return 0;
}

/* ---- the tree ---- */

void engine_history_tree_clear(struct history_tree *tree)
{
	free(tree->id);
	strv_clear(&tree->references);
	for (size_t i = 0; i < tree->layers.count; i++) {
		free(tree->layers.items[i].hex);
		strv_clear(&tree->layers.items[i].top_of);
	}
	free(tree->layers.items);
	*tree = (struct history_tree){ 0 };
}

/* What is known of each stored image: its names and its layers. */
struct known {
	char *digest;
	char *name;
	struct strv layers; /* lowest first */
};

struct known_list {
	SHAPE_LIST_OF(struct known) items;
};

static void clear_known(struct known_list *list)
{
	for (size_t i = 0; i < list->items.count; i++) {
		free(list->items.items[i].digest);
		free(list->items.items[i].name);
		strv_clear(&list->items.items[i].layers);
	}
	free(list->items.items);
}

static int read_known(struct engine *engine, struct known_list *to, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err ignored;

	int r = storage_index_read(&index, engine->store, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++) {
		const struct storage_entry *entry = &index.entries.items[i];
		own_clear(storage_image_clear) struct storage_image image = { 0 };
		if (storage_image_read(&image, engine->store, entry->digest, &ignored) < 0)
			continue;
		struct known *known = shape_list_add(&to->items);
		*known = (struct known){ 0 };
		known->digest = mem_text(entry->digest);
		known->name = mem_text(entry->reference ? entry->reference
							: image.manifest.config.digest);
		strv_add_all(&known->layers, &image.config.rootfs.diff_ids);
	}
	return r;
}

/* 0 of one that nobody has unpacked yet. */
static uint64_t layer_bytes(struct engine *engine, const char *diff_id)
{
	own_clear(layer_facts_clear) struct layer_facts facts = { 0 };
	struct err ignored;

	return storage_layer_facts(engine->store, diff_id, &facts, &ignored) < 0 ? 0 : facts.size;
}

static void add_layer(struct engine *engine, struct history_tree *to, const struct known_list *all,
		      const struct strv *layers, size_t at, size_t depth)
{
	const char *hex = oci_digest_hex(layers->items[at]);
	struct history_layer *layer = shape_list_add(&to->layers);

	*layer = (struct history_layer){ .depth = depth };
	layer->hex = mem_text(hex ? hex : "");
	layer->bytes = layer_bytes(engine, layers->items[at]);
	for (size_t i = 0; i < all->items.count; i++) {
		const struct known *known = &all->items.items[i];
		bool same = known->layers.count == at + 1;
		for (size_t k = 0; same && k <= at; k++)
			same = str_equal(known->layers.items[k], layers->items[k]);
		if (same)
			strv_add(&layer->top_of, image_reference_familiar(known->name));
	}
}

static bool begins_with(const struct strv *layers, const struct strv *prefix, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (i >= layers->count || !str_equal(layers->items[i], prefix->items[i]))
			return false;
	return true;
}

/* Was a layer with the same ones below it added for an image before this one? */
static bool is_known_branch(const struct known_list *all, size_t which, size_t at)
{
	const struct strv *layers = &all->items.items[which].layers;

	for (size_t i = 0; i < which; i++)
		if (begins_with(&all->items.items[i].layers, layers, at + 1))
			return true;
	return false;
}

/* Images sorted by their layers, so that what hangs on a layer follows it. */
static int by_layers(const void *a, const void *b)
{
	const struct strv *left = &((const struct known *)a)->layers;
	const struct strv *right = &((const struct known *)b)->layers;

	for (size_t i = 0; i < left->count && i < right->count; i++) {
		int order = strcmp(left->items[i], right->items[i]);
		if (order)
			return order;
	}
	return left->count < right->count ? -1 : left->count > right->count;
}

static void add_children(struct engine *engine, struct history_tree *to, struct known_list *all,
			 const struct strv *base)
{
	size_t first = base->count ? base->count - 1 : 0;

	if (all->items.count)
		qsort(all->items.items, all->items.count, sizeof(*all->items.items), by_layers);
	for (size_t i = 0; i < all->items.count; i++) {
		const struct strv *layers = &all->items.items[i].layers;
		if (!begins_with(layers, base, base->count))
			continue;
		for (size_t at = first; at < layers->count; at++)
			if (!is_known_branch(all, i, at))
				add_layer(engine, to, all, layers, at, at - first);
	}
}

int engine_history_tree(struct engine *engine, const char *name, bool children,
			struct history_tree *ret, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_clear(clear_known) struct known_list all = { 0 };

	int r = engine_image_find(engine, name, &image, NULL, e);
	if (r == 0)
		r = storage_image_size(&image, engine->store, &ret->bytes, e);
	if (r == 0)
		r = read_known(engine, &all, e);
	if (r < 0)
		return r;
	const struct strv *layers = &image.config.rootfs.diff_ids;
	ret->id = mem_text(image.manifest.config.digest);
	for (size_t i = 0; i < all.items.count; i++)
		if (str_equal(all.items.items[i].digest, image.digest))
			strv_add(&ret->references,
				 image_reference_familiar(all.items.items[i].name));
	for (size_t i = 0; !children && i < layers->count; i++)
		add_layer(engine, ret, &all, layers, i, 0);
	if (children)
		add_children(engine, ret, &all, layers);
	return 0;
}
