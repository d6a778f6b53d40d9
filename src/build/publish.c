#include "build/publish.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/cache.h"
#include "build/cache_option.h"
#include "build/output.h"
#include "build/squash.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "image/build_request.h"
#include "image/reference.h"
#include "storage/hash.h"
#include "storage/index.h"
#include "storage/store.h"

/* ---- the request ---- */

static void add_layer(struct image_build_request *to, const struct store *store,
		      const struct build_layer *layer, bool in_image)
{
	bool fresh = build_state_is_fresh(layer);

	for (size_t i = 0; i < to->layers.count; i++)
		if (fresh && str_equal(to->layers.items[i].folder, layer->name))
			return;
	*shape_list_add(&to->layers) = (struct image_build_layer){
		.folder = fresh ? layer->name : NULL,
		.diff_id = fresh ? NULL : layer->name,
		.key = layer->key,
		.portable = layer->portable,
		.imported = layer->imported && !build_cache_has(store, layer->key),
		.text = layer->text,
		.in_image = in_image,
		.size = layer->size,
		.entries = layer->entries,
	};
}

static void add_layers(struct image_build_request *to, const struct store *store,
		       const struct build_state *state, bool in_image)
{
	for (size_t i = 0; i < state->layers.count; i++) {
		const struct build_layer *layer = &state->layers.items[i];
		if (layer->key && (in_image || build_state_is_fresh(layer) || layer->imported))
			add_layer(to, store, layer, in_image);
	}
}

static int add_name(struct strv *to, const char *text, const char *option, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference reference = { 0 };

	int r = image_reference_parse(&reference, text, e);
	if (r < 0)
		return err_add(e, "%s", option);
	if (reference.digest)
		return err_set(e, ERR_INVALID, "%s %s: a digest is no name", option, text);
	strv_add_take(to, image_reference_format(&reference));
	return 0;
}

int build_publish_names(struct strv *ret, const struct build *build, struct err *e)
{
	own_clear(strv_clear) struct strv more = { 0 };
	const struct strv *tags = &build->o->tag;
	int r = 0;

	for (size_t i = 0; r == 0 && i < tags->count; i++)
		r = add_name(ret, tags->items[i], "--tag", e);
	if (build_targets_are_several(build))
		build_output_names(&more, build->o);
	for (size_t i = 0; r == 0 && i < more.count; i++)
		r = add_name(ret, more.items[i], "--output", e);
	return r;
}

/* Of several platforms the index has the names. */
static int add_references(struct image_build_request *to, const struct build *build, struct err *e)
{
	int r = build_targets_are_several(build) ? 0
						 : build_publish_names(&to->references, build, e);

	return r < 0 ? r
		     : shape_map_set_pairs(&to->annotations, &build->o->annotation, "--annotation",
					   e);
}

/* "sha256:" in front of what is a hex in a state. */
static void add_digests(struct strv *owned, struct image_build_request *to)
{
	for (size_t i = 0; i < to->layers.count; i++) {
		char **id = &to->layers.items[i].diff_id;
		if (!*id)
			continue;
		strv_addf(owned, "sha256:%s", *id);
		*id = owned->items[owned->count - 1];
	}
}

/* All but the lists that it owns is borrowed. */
static void request_clear(struct image_build_request *request)
{
	free(request->layers.items);
	strv_clear(&request->references);
	shape_map_clear(&request->annotations);
}

/* ---- where nothing is new ---- */

/* The id of the image, as holm-image will have it, where all layers are known. */
static void find_id(char ret[DIGEST_TEXT_SIZE], const struct image_build_request *request)
{
	struct oci_image_config config = request->config;
	own_clear(strv_clear) struct strv diff_ids = { 0 };

	strv_add_all(&diff_ids, &config.rootfs.diff_ids);
	for (size_t i = 0; i < request->layers.count; i++)
		strv_add(&diff_ids, request->layers.items[i].diff_id);
	config.rootfs.diff_ids = diff_ids;
	own_json struct json_object *object = shape_write(&oci_image_config_shape, &config);
	const char *text = json_text(object);
	storage_hash_bytes(text, strlen(text), ret);
}

/* Is there this very image, under all names? Then there is nothing to do. */
static bool is_done(const struct build *build, const struct image_build_request *request,
		    char ret_id[DIGEST_TEXT_SIZE])
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err unread;

	if (!request->references.count || request->annotations.count || request->annotate)
		return false;
	for (size_t i = 0; i < request->layers.count; i++)
		if (request->layers.items[i].folder || request->layers.items[i].imported)
			return false;
	if (storage_index_read(&index, build->engine->store, &unread) < 0)
		return false;
	find_id(ret_id, request);
	for (size_t i = 0; i < request->references.count; i++) {
		const struct storage_entry *entry =
			storage_index_find(&index, request->references.items[i]);
		if (!entry || !str_equal(entry->id, ret_id))
			return false;
	}
	return true;
}

/* target NULL: no image. */
static int publish(struct build *build, const struct build_state *target,
		   char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	own_clear(request_clear) struct image_build_request request = { .image = target != NULL };
	own_clear(strv_clear) struct strv owned = { 0 };
	const struct store *store = build->engine->store;
	struct image_progress done = { 0 };
	int r = 0;

	request.annotate = target && build_cache_option_inline(build->o);
	if (target) {
		request.parent = target->parent;
		request.config = target->config;
		add_layers(&request, store, target, true);
		r = add_references(&request, build, e);
	}
	for (size_t i = 0; i < build->stages.items.count; i++)
		add_layers(&request, store, &build->states[i], false);
	add_digests(&owned, &request);
	if (r < 0 || (!target && !request.layers.count))
		return r;
	char id[DIGEST_TEXT_SIZE];
	if (target && is_done(build, &request, id)) {
		memcpy(ret_id, id, IMAGE_DIGEST_SIZE);
		return 0;
	}
	fault_point("build.publish");
	r = image_build_ask(&request, store, &done, e);
	fault_point("build.published");
	if (r == 0 && target)
		memcpy(ret_id, done.digest, sizeof(done.digest));
	return r;
}

/* A folder that has become a layer has the name that the cache has for it. */
static void name_layers(const struct build *build, struct build_state *state)
{
	for (size_t i = 0; i < state->layers.count; i++) {
		struct build_layer *layer = &state->layers.items[i];
		own_free char *name = build_state_is_fresh(layer)
					      ? build_cache_find(build->engine->store, layer->key)
					      : NULL;
		if (name)
			mem_replace(&layer->name, name);
	}
}

static int publish_layers(struct build *build, struct err *e)
{
	int r = publish(build, NULL, NULL, e);

	for (size_t i = 0; r == 0 && i < build->stages.items.count; i++)
		name_layers(build, &build->states[i]);
	return r;
}

int build_publish(struct build *build, const struct build_target *target,
		  char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	own_clear(build_state_clear) struct build_state squashed = { 0 };

	if (!target)
		return publish_layers(build, e);
	if (!build_squash_is_wanted(build))
		return publish(build, &build->states[target->stage], ret_id, e);
	int r = publish_layers(build, e);
	if (r == 0)
		r = build_squash(build, target->stage, &squashed, e);
	return r < 0 ? r : publish(build, &squashed, ret_id, e);
}
