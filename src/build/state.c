#include "build/state.h"

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "storage/store.h"

#define FIELD(type, member) offsetof(struct type, member)

static const struct shape layer_shape = {
	sizeof(struct build_layer),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, FIELD(build_layer, name) },
		{ "key", SHAPE_STRING, FIELD(build_layer, key) },
		{ "portable", SHAPE_STRING, FIELD(build_layer, portable) },
		{ "imported", SHAPE_BOOL, FIELD(build_layer, imported) },
		{ "text", SHAPE_STRING, FIELD(build_layer, text) },
		{ "size", SHAPE_UINT, FIELD(build_layer, size) },
		{ "entries", SHAPE_UINT, FIELD(build_layer, entries) },
		{ 0 },
	},
};

static const struct shape state_shape = {
	sizeof(struct build_state),
	(const struct shape_field[]){
		{ "parent", SHAPE_STRING, FIELD(build_state, parent) },
		{ "name", SHAPE_STRING, FIELD(build_state, name) },
		{ "config", SHAPE_OBJECT, FIELD(build_state, config), &oci_image_config_shape },
		{ "layers", SHAPE_LIST, FIELD(build_state, layers), &layer_shape },
		{ "steps", SHAPE_LIST, FIELD(build_state, steps), &storage_stages_step_shape },
		{ "args", SHAPE_STRINGS, FIELD(build_state, args) },
		{ "key", SHAPE_STRING, FIELD(build_state, key) },
		{ "portable", SHAPE_STRING, FIELD(build_state, portable) },
		{ "time", SHAPE_INT, FIELD(build_state, time_s) },
		{ 0 },
	},
};

void build_state_clear(struct build_state *state)
{
	shape_clear(&state_shape, state);
}

void build_state_layer_clear(struct build_layer *layer)
{
	shape_clear(&layer_shape, layer);
}

struct json_object *build_state_write(const struct build_state *state)
{
	return shape_write(&state_shape, state);
}

int build_state_read(struct build_state *to, struct json_object *object, struct err *e)
{
	*to = (struct build_state){ 0 };
	return shape_read(&state_shape, object, to, e);
}

void build_state_copy(struct build_state *to, const struct build_state *from)
{
	own_json struct json_object *object = build_state_write(from);
	struct err never;

	build_state_read(to, object, &never);
}

bool build_state_is_fresh(const struct build_layer *layer)
{
	return layer->name[0] == '.';
}

char *build_state_folder(const struct store *store, const char *name)
{
	return mem_format("%s/layers/%s/fs", store->root, name);
}

void build_state_folders(struct strv *to, const struct build_state *state,
			 const struct store *store)
{
	for (size_t i = 0; i < state->layers.count; i++) {
		own_free char *folder = build_state_folder(store, state->layers.items[i].name);
		/* overlayfs takes a folder once: the upper one hides all of the lower one */
		for (size_t n = to->count; n-- > 0;)
			if (str_equal(to->items[n], folder))
				strv_remove(to, n);
		strv_add(to, folder);
	}
}

void build_state_history(struct build_state *state, const char *text, bool empty_layer)
{
	char when[MOMENT_TEXT_SIZE];

	moment_format(when, state->time_s * 1000000000);
	struct oci_image_history *history = shape_list_add(&state->config.history);
	*history = (struct oci_image_history){
		.created = mem_text(when),
		.created_by = mem_text(text),
		.empty_layer = empty_layer,
	};
}
