#include "engine/gc.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/shifted.h"
#include "engine/usage.h"
#include "image/reference.h"
#include "storage/gc.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/steps.h"
#include "storage/volume.h"

static int by_use(const void *a, const void *b)
{
	const struct usage_image *left = *(const struct usage_image *const *)a;
	const struct usage_image *right = *(const struct usage_image *const *)b;

	return left->used_ns < right->used_ns ? -1 : left->used_ns > right->used_ns;
}

/* The disk gives back the parts that only this image needs, of those that are left. */
static uint64_t take_parts(struct engine_usage *usage, const struct usage_image *image)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < image->parts_count; i++) {
		struct storage_part *part = &usage->store.parts.items[image->parts[i]];
		bytes += --part->users == 0 ? part->bytes : 0;
	}
	return bytes;
}

static int remove_image(struct engine *engine, const struct usage_image *image, struct strv *done,
			struct err *e)
{
	int r = storage_index_remove(engine->store, image->digest, e);

	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r; /* somebody was faster */
	for (size_t i = 0; i < image->references.count; i++)
		strv_addf(done, "Untagged: %s",
			  image_reference_familiar(image->references.items[i]));
	strv_addf(done, "Deleted: %s", image->id);
	return 0;
}

static int remove_oldest(struct engine *engine, struct engine_usage *usage, uint64_t keep,
			 struct strv *done, struct err *e)
{
	own_free struct usage_image **order = mem_new(usage->images.count + 1, sizeof(*order));
	own_clear(strv_clear) struct strv listed = { 0 };
	uint64_t total = storage_usage_total(&usage->store) - usage->frozen_bytes;
	size_t count = 0;
	int r = 0;

	storage_list_named(&listed, engine->store);
	for (size_t i = 0; i < usage->images.count; i++)
		if (!usage->images.items[i].containers && !usage->images.items[i].mounted &&
		    !strv_contains(&listed, usage->images.items[i].digest))
			order[count++] = &usage->images.items[i];
	qsort(order, count, sizeof(*order), by_use);
	for (size_t i = 0; r == 0 && i < count && total > keep; i++) {
		total -= take_parts(usage, order[i]);
		r = remove_image(engine, order[i], done, e);
	}
	return r;
}

static int collect(struct engine *engine, struct engine_gc_result *result, struct err *e)
{
	struct gc_result collected;

	int r = storage_gc(engine->store, false, false, &collected, e);
	if (r == 0 && collected.busy) {
		err_set(e, ERR_STATE, "somebody pulls or starts a container");
		return err_hint(e, "try again when that is done");
	}
	result->freed += r == 0 ? collected.bytes : 0;
	storage_volume_clear_debris(engine->store);
	return r < 0 ? r : engine_shifted_prune(engine, &result->freed, e);
}

static int read_left(struct engine *engine, const struct engine_usage *before,
		     struct engine_gc_result *result, struct err *e)
{
	own_clear(engine_usage_clear) struct engine_usage after = { 0 };
	int r = storage_usage_read(&after.store, engine->store, e);

	if (r == 0)
		result->left = storage_usage_total(&after.store) - before->frozen_bytes;
	return r;
}

int engine_gc(struct engine *engine, int64_t keep, struct strv *done,
	      struct engine_gc_result *result, struct err *e)
{
	own_clear(engine_usage_clear) struct engine_usage usage = { 0 };

	*result = (struct engine_gc_result){ 0 };
	int r = collect(engine, result, e);
	if (r < 0 || keep < 0)
		return r;
	r = engine_usage_images(engine, &usage, e);
	if (r == 0)
		r = remove_oldest(engine, &usage, (uint64_t)keep, done, e);
	if (r == 0 && done->count)
		r = collect(engine, result, e);
	if (r == 0)
		r = read_left(engine, &usage, result, e);
	if (r < 0 || result->left <= (uint64_t)keep)
		return r;
	/* what is left over is perhaps the cache's of builds */
	r = storage_steps_forget(engine->store, result->left - (uint64_t)keep, e);
	if (r == 0)
		r = collect(engine, result, e);
	return r < 0 ? r : read_left(engine, &usage, result, e);
}
