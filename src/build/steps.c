#include "build/steps.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/cache.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "storage/hash.h"
#include "storage/stages.h"
#include "storage/store.h"

/* Those of the base, and then one for each step that made one. */
static int64_t count_layers(const struct build_state *state)
{
	int64_t count = (int64_t)state->config.rootfs.diff_ids.count;

	for (size_t i = 0; i < state->layers.count; i++)
		count += state->layers.items[i].key != NULL;
	return count;
}

void build_steps_note(struct build_state *state)
{
	int64_t number = (int64_t)state->config.history.count;
	struct err never;

	if (state->steps.count && state->steps.items[state->steps.count - 1].number == number)
		return;
	struct storage_step *step = shape_list_add(&state->steps);
	*step = (struct storage_step){ .number = number, .layers = count_layers(state) };
	own_json struct json_object *object =
		shape_write(&oci_image_process_shape, &state->config.config);
	shape_read(&oci_image_process_shape, object, &step->config, &never);
}

/* All is borrowed but the list of steps and their ids, and the diff ids. */
static void stages_free(struct storage_stages *stages)
{
	for (size_t i = 0; i < stages->items.count; i++) {
		struct storage_stage *stage = &stages->items.items[i];
		for (size_t k = 0; k < stage->steps.count; k++)
			free(stage->steps.items[k].id);
		free(stage->steps.items);
		free(stage->name);
		strv_clear(&stage->config.rootfs.diff_ids);
	}
	free(stages->items.items);
}

/* The folder of a step that was done just now has the name that the cache has for it. */
void build_steps_layers(struct strv *to, const struct build *build, const struct build_state *state)
{
	strv_add_all(to, &state->config.rootfs.diff_ids);
	for (size_t i = 0; i < state->layers.count; i++) {
		const struct build_layer *layer = &state->layers.items[i];
		own_free char *found = build_state_is_fresh(layer)
					       ? build_cache_find(build->engine->store, layer->key)
					       : mem_text(layer->name);
		if (layer->key && found)
			strv_addf(to, "sha256:%s", found);
	}
}

static void name_step(struct storage_step *step, const struct storage_stage *stage)
{
	const struct oci_image_config config = storage_stages_config(stage, step);
	own_json struct json_object *object = shape_write(&oci_image_config_shape, &config);
	const char *text = json_text(object);
	char digest[DIGEST_TEXT_SIZE];

	storage_hash_bytes(text, strlen(text), digest);
	step->id = mem_text(digest);
}

char *build_steps_id(const struct build *build, size_t number)
{
	const struct build_state *state = &build->states[number];
	own_clear(strv_clear) struct strv layers = { 0 };
	struct storage_stage stage = { .config = state->config };
	struct storage_step last = {
		.number = (int64_t)state->config.history.count,
		.config = state->config.config,
	};

	build_steps_layers(&layers, build, state);
	stage.config.rootfs.diff_ids = layers;
	last.layers = (int64_t)layers.count;
	name_step(&last, &stage);
	return last.id;
}

/* False: the cache has lost one of its layers already. */
static bool add_stage(struct storage_stages *to, const struct build *build, size_t number)
{
	const char *name = build->stages.items.items[number].name;
	size_t begin = build->stages.items.items[number].begin;
	const struct build_state *state = &build->states[number];
	struct storage_stage *stage = shape_list_add(&to->items);

	*stage = (struct storage_stage){
		.name = name ? mem_text(name) : mem_format("stage-%zu", number - begin),
		.config = state->config,
	};
	stage->config.rootfs.diff_ids = (struct strv){ 0 };
	build_steps_layers(&stage->config.rootfs.diff_ids, build, state);
	for (size_t i = 0; i < state->steps.count; i++) {
		struct storage_step *step = shape_list_add(&stage->steps);
		*step = state->steps.items[i];
		if ((size_t)step->layers > stage->config.rootfs.diff_ids.count)
			return false;
		if (i + 1 == state->steps.count)
			step->config = state->config.config; /* with --label */
		name_step(step, stage);
	}
	return true;
}

/* Is that what is known already? Then the disk has nothing to do. */
static bool is_known(const struct storage_stages *stages, const struct store *store, const char *id)
{
	own_clear(storage_stages_clear) struct storage_stages known = { 0 };
	struct err unknown;

	if (storage_stages_read(&known, store, id, &unknown) < 0)
		return false;
	for (size_t i = 0; i < known.items.count; i++)
		for (size_t k = 0; k < known.items.items[i].steps.count; k++)
			free(take_ptr(&known.items.items[i].steps.items[k].image));
	own_json struct json_object *before = shape_write(&storage_stages_shape, &known);
	own_json struct json_object *now = shape_write(&storage_stages_shape, stages);
	return str_equal(json_text(before), json_text(now));
}

int build_steps_keep(struct build *build, const struct build_target *target, const char *id,
		     struct err *e)
{
	const struct build_stage *all = build->stages.items.items;
	own_clear(stages_free) struct storage_stages stages = { 0 };

	for (size_t i = 0; i < build->stages.items.count; i++) {
		if (!all[i].needed || all[i].plan != all[target->stage].plan)
			continue;
		if (i == target->stage)
			stages.target = (int64_t)stages.items.count;
		if (!add_stage(&stages, build, i))
			return 0;
	}
	fault_point("build.steps");
	if (is_known(&stages, build->engine->store, id))
		return 0;
	return storage_stages_write(&stages, build->engine->store, id, e) < 0
		       ? err_add(e, "keep the steps")
		       : 0;
}
