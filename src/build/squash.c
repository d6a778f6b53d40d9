#include "build/squash.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/cache.h"
#include "build/seal.h"
#include "build/step.h"
#include "build/steps.h"
#include "build/sum.h"
#include "engine/engine.h"
#include "storage/image.h"
#include "storage/squash.h"

bool build_squash_is_wanted(const struct build *build)
{
	return build->o->squash || build->o->squash_all || build->o->squash_from;
}

/* ---- from where ---- */

/* A stage that the target stands on: what is above its end. */
static int find_stage(size_t *ret, const struct build *build, size_t stage, const char *name)
{
	int number = (int)stage;

	while ((number = build->stages.items.items[number].base_stage) >= 0) {
		if (!str_equal(build->stages.items.items[number].name, name))
			continue;
		*ret = build->states[number].config.history.count;
		return 1;
	}
	return 0;
}

/* So many lines of the history keep their layers. */
static int find_lines(size_t *ret, const struct build *build, size_t stage, struct err *e)
{
	const struct build_state *target = &build->states[stage];
	const char *from = build->o->squash_from;
	size_t count = target->config.history.count;
	struct err no_number;
	int64_t number;

	*ret = from || build->o->squash_all ? 0 : (size_t)target->steps.items[0].number;
	if (!from || find_stage(ret, build, stage, from))
		return 0;
	if (number_parse_i64(&number, from, 0, (int64_t)count, &no_number) < 0) {
		err_set(e, ERR_NOT_FOUND, "--squash-from %s: no such step", from);
		return err_hint(e, "a line of its history, 0 to %zu, or a stage that it stands on",
				count);
	}
	*ret = (size_t)number;
	return 0;
}

/* What the history says nothing about is its first layers. */
static size_t layers_below(const struct build_state *target, size_t lines, size_t layers)
{
	size_t told = 0, below = 0;

	for (size_t i = 0; i < target->config.history.count; i++) {
		told += !target->config.history.items[i].empty_layer;
		if (i + 1 == lines)
			below = told;
	}
	return lines && told <= layers ? below + layers - told : 0;
}

/* ---- the layer ---- */

static char *make_key(const struct strv *layers, size_t from)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE];

	build_sum_add(hash, "holm squash 1");
	build_sum_add_number(hash, from > 0);
	for (size_t i = from; i < layers->count; i++)
		build_sum_add(hash, layers->items[i]);
	storage_hash_end(hash, digest);
	return mem_text(digest);
}

static int merge(struct build *build, struct build_layer *to, const struct strv *layers,
		 size_t from, struct err *e)
{
	const struct squash_options links = { .lowest = from == 0 };
	size_t folder;

	int r = build_step_folder(build, &folder, e);
	if (r < 0)
		return r;
	const struct layer_writer *writer = &build->folders.items[folder];
	for (size_t i = from; r == 0 && i < layers->count; i++) {
		own_fd int layer = storage_layer_open(build->engine->store, layers->items[i], e);
		r = layer < 0 ? layer : storage_squash_add(writer->fs_fd, layer, &links, e);
	}
	if (r == 0)
		r = build_seal_count(writer->fs_fd, &to->size, &to->entries, e);
	to->name = mem_text(writer->name);
	return r;
}

static int add_layer(struct build *build, struct build_state *to, const struct strv *layers,
		     size_t from, struct err *e)
{
	struct build_layer *layer = shape_list_add(&to->layers);

	*layer = (struct build_layer){ .key = make_key(layers, from), .text = mem_text("squash") };
	if (!build->o->no_cache)
		layer->name = build_cache_find(build->engine->store, layer->key);
	return layer->name ? 0 : merge(build, layer, layers, from, e);
}

/* ---- the image ---- */

/* As docker has it. */
static int add_history(const struct build *build, size_t stage, struct build_state *to,
		       size_t lines, struct err *e)
{
	own_free char *whole = build_steps_id(build, stage);
	own_clear(storage_image_clear) struct storage_image parent = { 0 };
	bool all = !lines || !to->parent;
	int r = all ? 0 : storage_image_read(&parent, build->engine->store, to->parent, e);

	if (r < 0)
		return r;
	for (size_t i = lines; i < to->config.history.count; i++)
		to->config.history.items[i].empty_layer = true;
	build_state_history(to, "", false);
	to->config.history.items[to->config.history.count - 1].comment =
		all ? mem_format("create new from %s", whole)
		    : mem_format("merge %s to %s", whole, parent.manifest.config.digest);
	return 0;
}

static void forget_layers(struct build_state *state, size_t base, size_t below)
{
	struct strv *ids = &state->config.rootfs.diff_ids;
	size_t kept = 0, number = base;

	while (ids->count > below)
		strv_remove(ids, ids->count - 1);
	for (size_t i = 0; i < state->layers.count; i++) {
		struct build_layer *layer = &state->layers.items[i];
		if (layer->key && number++ < below)
			state->layers.items[kept++] = *layer;
		else
			build_state_layer_clear(layer);
	}
	state->layers.count = kept;
}

int build_squash(struct build *build, size_t stage, struct build_state *ret, struct err *e)
{
	own_clear(strv_clear) struct strv layers = { 0 };
	const struct build_state *target = &build->states[stage];
	size_t lines = 0;

	int r = find_lines(&lines, build, stage, e);
	if (r < 0)
		return r;
	build_steps_layers(&layers, build, target);
	size_t below = layers_below(target, lines, layers.count);
	build_state_copy(ret, target);
	forget_layers(ret, target->config.rootfs.diff_ids.count, below);
	if (below == layers.count)
		return 0; /* nothing was written */
	r = add_layer(build, ret, &layers, below, e);
	return r < 0 ? err_add(e, "--squash") : add_history(build, stage, ret, lines, e);
}
