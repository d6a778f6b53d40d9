#include "build/step.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/cache.h"
#include "build/heredoc.h"
#include "build/import.h"
#include "build/places.h"
#include "build/progress.h"
#include "build/seal.h"
#include "build/sum.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "runtime/overlay.h"
#include "storage/store.h"

/* ENV goes before ARG. */
static const char *get_variable(const void *context, const char *name)
{
	const struct build_step *step = context;
	const char *value = strv_value(&step->state->config.config.env, name);

	return value ? value : strv_value(&step->state->args, name);
}

struct build_word_scope build_step_scope(const struct build_step *step)
{
	return (struct build_word_scope){ get_variable, step, step->build->file.escape,
					  &step->build->words_left };
}

/* Of an array no word is one. */
const struct build_heredoc *build_step_heredoc(const struct build_step *step, size_t word)
{
	size_t number = 0;

	for (size_t i = 0; !step->at->json && i < step->at->words.count; i++) {
		const char *text = step->at->words.items[i];
		struct build_heredoc found;
		if (!build_heredoc_begins(&found, text, strlen(text), step->build->file.escape))
			continue;
		free(found.name);
		if (i == word)
			return &step->at->heredocs.items[number];
		number++;
	}
	return NULL;
}

struct storage_hash *build_step_key_begin(const struct build_step *step, const char *what)
{
	struct storage_hash *hash = storage_hash_new();

	build_sum_add(hash, "holm build 3");
	build_sum_add_number(hash, step->state->time_s);
	build_sum_add(hash, what);
	return hash;
}

static void join(char ret[DIGEST_TEXT_SIZE], const char *first, const char *second)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	build_sum_add(hash, first);
	build_sum_add(hash, second);
	storage_hash_end(hash, ret);
}

char *build_step_key_end(struct build_step *step, struct storage_hash *hash, bool hangs)
{
	char own[DIGEST_TEXT_SIZE], key[DIGEST_TEXT_SIZE];

	storage_hash_end(hash, own);
	join(key, hangs ? step->state->key : NULL, own);
	join(step->portable, hangs ? step->state->portable : NULL, own);
	return mem_text(key);
}

int build_step_folder(struct build *build, size_t *ret, struct err *e)
{
	struct layer_writer writer = { 0 };
	int r = storage_layer_begin(&writer, build->engine->store, NULL, true, e);

	if (r < 0)
		return r;
	*ret = build->folders.count;
	*shape_list_add(&build->folders) = writer;
	return 0;
}

int build_step_places(char **ret, struct build *build, struct err *e)
{
	int r = build->places.name
			? 0
			: build_places_make(&build->places, build->engine->store, NULL, NULL, e);

	if (r == 0)
		*ret = build_state_folder(build->engine->store, build->places.name);
	return r;
}

/* All that is below counts for the next one, also where it did not for this one. */
static void push_layer(struct build_step *step, char *name, char *key)
{
	struct build_layer *layer = shape_list_add(&step->state->layers);
	char digest[DIGEST_TEXT_SIZE];

	*layer = (struct build_layer){
		.name = name,
		.key = key,
		.portable = mem_text(step->portable),
		.text = mem_text(step->at->text),
	};
	join(digest, step->state->key, key);
	mem_replace(&step->state->key, digest);
	join(digest, step->state->portable, step->portable);
	mem_replace(&step->state->portable, digest);
}

/* That this layer is what the step would have made is the word of whoever wrote that cache. It
 * counts in this build alone: from here on the keys have the layer itself in them, so that a build
 * without that cache finds nothing that was made on top of it. */
static void push_imported(struct build_step *step, char *name, char *key)
{
	char digest[DIGEST_TEXT_SIZE];

	join(digest, key, name);
	mem_replace(&key, digest);
	push_layer(step, name, key);
	step->state->layers.items[step->state->layers.count - 1].imported = true;
}

int build_step_add(struct build_step *step, size_t folder, char *key, struct err *e)
{
	struct layer_writer *writer = &step->build->folders.items[folder];
	uint64_t size, entries;

	int r = build_seal(writer->fs_fd, step->state->time_s, &size, &entries, e);
	if (r < 0) {
		free(key);
		return r;
	}
	fault_point("build.sealed");
	push_layer(step, mem_text(writer->name), key);
	struct build_layer *layer = &step->state->layers.items[step->state->layers.count - 1];
	layer->size = size;
	layer->entries = entries;
	return build_once_tell(&step->build->once, layer, e);
}

/* Another stage has done it. */
static void take_done(struct build_step *step, const struct build_layer *done, char *key)
{
	push_layer(step, done->name, key);
	struct build_layer *layer = &step->state->layers.items[step->state->layers.count - 1];
	layer->size = done->size;
	layer->entries = done->entries;
	build_progress_cached(step->build->progress, step->number);
}

bool build_step_cached(struct build_step *step, char *key)
{
	struct build_layer done = { 0 };

	if (build_once_claim(&step->build->once, key, &done)) {
		take_done(step, &done, key);
		return true;
	}
	if (step->build->o->no_cache)
		return false;
	char *name = build_cache_find(step->build->engine->store, key);
	if (name)
		push_layer(step, name, key);
	else if ((name = build_import_find(step)))
		push_imported(step, name, key);
	else
		return false;
	build_progress_cached(step->build->progress, step->number);
	return true;
}

int build_step_open_root(struct build *build, const struct build_state *state, int folder,
			 struct err *e)
{
	const struct store *store = build->engine->store;
	struct runtime_overlay overlay = { .is_volatile = true };
	own_clear(strv_clear) struct strv lower = { 0 };

	build_state_folders(&lower, state, store);
	if (folder >= 0) {
		const struct layer_writer *writer = &build->folders.items[folder];
		if (!lower.count) {
			int fd = fcntl(writer->fs_fd, F_DUPFD_CLOEXEC, 3);
			return fd < 0 ? err_sys(e, "open the layer") : fd;
		}
		if (mkdirat(writer->lock, "work", 0700) < 0)
			return err_sys(e, "make a work folder");
		overlay.upper = build_state_folder(store, writer->name);
		overlay.work = mem_format("%s/layers/%s/work", store->root, writer->name);
	}
	for (size_t i = lower.count; i-- > 0;)
		strv_add(&overlay.lower, lower.items[i]);
	char *places = NULL;
	int r = lower.count ? 0 : build_step_places(&places, build, e);
	if (places)
		strv_add_take(&overlay.lower, places);
	int fd = r < 0 ? r : runtime_overlay_mount_in_parent(&overlay, store->root, e);
	runtime_overlay_clear(&overlay);
	return fd;
}
