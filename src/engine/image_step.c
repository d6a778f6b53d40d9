#include "engine/image_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "image/build_request.h"
#include "storage/layer.h"
#include "storage/store.h"

enum { ID_DIGITS_MIN = 6 }; /* fewer may well be the number of a line */

struct found {
	struct storage_image image; /* whose step it is */
	struct storage_stages stages;
	size_t stage, step;
};

static void found_clear(struct found *found)
{
	storage_image_clear(&found->image);
	storage_stages_clear(&found->stages);
}

static const char *step_of(const char *name)
{
	const char *at = strrchr(name, '@');

	return at && at != name && at[1] && !strchr(at, ':') ? at + 1 : NULL;
}

bool engine_image_step_is(const char *name)
{
	return step_of(name) != NULL;
}

/* ---- what is there ---- */

static size_t common_layers(const struct found *found, const struct storage_stage *stage)
{
	const struct strv *own = &stage->config.rootfs.diff_ids;
	const struct strv *all = &found->image.config.rootfs.diff_ids;
	size_t count = 0;

	while (count < own->count && count < all->count &&
	       str_equal(own->items[count], all->items[count]))
		count++;
	return count;
}

/* Those of the image itself are as safe as it is; of the others the cache decides. */
static bool is_there(struct engine *engine, const struct found *found,
		     const struct storage_stage *stage, const struct storage_step *step)
{
	for (size_t i = common_layers(found, stage); i < (size_t)step->layers; i++)
		if (!storage_layer_exists(engine->store, stage->config.rootfs.diff_ids.items[i]))
			return false;
	return true;
}

/* "2-5, builder/2-7": the steps of one stage have numbers without a gap. */
static char *list_steps(struct engine *engine, const struct found *found)
{
	own_clear(strv_clear) struct strv ranges = { 0 };

	for (size_t i = 0; i < found->stages.items.count; i++) {
		const struct storage_stage *stage = &found->stages.items.items[i];
		bool other = i != (size_t)found->stages.target;
		size_t there = 0;
		while (there < stage->steps.count &&
		       is_there(engine, found, stage, &stage->steps.items[there]))
			there++;
		if (there)
			strv_addf(&ranges, "%s%s%lld-%lld", other ? stage->name : "",
				  other ? "/" : "", (long long)stage->steps.items[0].number,
				  (long long)stage->steps.items[there - 1].number);
	}
	return strv_join(&ranges, ", ");
}

/* ---- which one ---- */

static bool find_id(struct found *to, const char *text)
{
	const char *digits = "0123456789abcdef";

	if (strlen(text) < ID_DIGITS_MIN || text[strspn(text, digits)])
		return false;
	for (size_t i = 0; i < to->stages.items.count; i++) {
		const struct storage_stage *stage = &to->stages.items.items[i];
		for (size_t k = 0; k < stage->steps.count; k++) {
			if (!str_starts(oci_digest_hex(stage->steps.items[k].id), text))
				continue;
			to->stage = i;
			to->step = k;
			return true;
		}
	}
	return false;
}

static bool find_number(struct found *to, size_t number, const char *text)
{
	const struct storage_stage *stage = &to->stages.items.items[number];
	struct err none;
	int64_t line;

	if (number_parse_i64(&line, text, 0, INT32_MAX, &none) < 0)
		return false;
	for (size_t i = 0; i < stage->steps.count; i++) {
		if (stage->steps.items[i].number != line)
			continue;
		to->stage = number;
		to->step = i;
		return true;
	}
	return false;
}

static bool find_stage(struct found *to, const char *text)
{
	const char *slash = strrchr(text, '/');
	own_free char *name = slash ? mem_text_n(text, (size_t)(slash - text)) : mem_text(text);

	for (size_t i = 0; i < to->stages.items.count; i++) {
		const struct storage_stage *stage = &to->stages.items.items[i];
		if (!str_equal(stage->name, name) || !stage->steps.count)
			continue;
		to->stage = i;
		to->step = stage->steps.count - 1;
		return !slash || find_number(to, i, slash + 1);
	}
	return false;
}

static int choose(struct engine *engine, struct found *to, const char *image, const char *text,
		  struct err *e)
{
	if (!find_number(to, (size_t)to->stages.target, text) && !find_stage(to, text) &&
	    !find_id(to, text)) {
		own_free char *steps = list_steps(engine, to);
		err_set(e, ERR_NOT_FOUND, "%s has no step %.100s", image, text);
		return err_hint(e, "it has %s: see holm history %s", steps, image);
	}
	const struct storage_stage *stage = &to->stages.items.items[to->stage];
	if (is_there(engine, to, stage, &stage->steps.items[to->step]))
		return 0;
	own_free char *steps = list_steps(engine, to);
	err_set(e, ERR_NOT_FOUND, "%s: step %.100s is not in the cache any more", image, text);
	return err_hint(e, "build it again; there are %s", steps);
}

static int find(struct engine *engine, const char *name, struct found *to, struct err *e)
{
	const char *text = step_of(name);
	if (!text)
		return err_set(e, ERR_INVALID, "%s names no step of an image", name);
	own_free char *image = mem_text_n(name, (size_t)(text - 1 - name));

	int r = engine_image_find(engine, image, &to->image, NULL, e);
	if (r < 0)
		return r;
	r = storage_stages_read(&to->stages, engine->store, to->image.manifest.config.digest, e);
	if (r < 0) {
		err_add(e, "%s", image);
		return err_hint(e, "steps can be started of what holm build made here");
	}
	return choose(engine, to, image, text, e);
}

/* ---- an image of it ---- */

/* The layers that it has in common with the image are that one's, as they are packed there. */
static int make(struct engine *engine, const struct found *found, const char *reference,
		struct image_progress *done, struct err *e)
{
	const struct storage_stage *stage = &found->stages.items.items[found->stage];
	const struct storage_step *step = &stage->steps.items[found->step];
	char *references[] = { (char *)reference };
	struct image_build_request request = {
		.parent = found->image.digest,
		.image = true,
		.unlisted = !reference,
		.config = storage_stages_config(stage, step),
		.references = { references, reference != NULL },
	};
	const struct strv *all = &stage->config.rootfs.diff_ids;
	size_t common = common_layers(found, stage);

	if (common < (size_t)step->layers)
		request.config.rootfs.diff_ids.count = common;
	for (size_t i = common; i < (size_t)step->layers; i++)
		*shape_list_add(&request.layers) = (struct image_build_layer){
			.diff_id = all->items[i],
			.in_image = true,
		};
	int r = image_build_ask(&request, engine->store, done, e);
	free(request.layers.items);
	return r;
}

int engine_image_step_find(struct engine *engine, const char *name, struct storage_image *ret,
			   struct err *e)
{
	own_clear(found_clear) struct found found = { 0 };
	struct image_progress done = { 0 };
	struct err unknown;

	int r = find(engine, name, &found, e);
	if (r < 0)
		return r;
	struct storage_stage *stage = &found.stages.items.items[found.stage];
	struct storage_step *step = &stage->steps.items[found.step];
	if (step->image && storage_image_read(ret, engine->store, step->image, &unknown) == 0)
		return 0;
	r = make(engine, &found, NULL, &done, e);
	if (r == 0)
		r = storage_image_read(ret, engine->store, done.digest, e);
	if (r < 0)
		return err_add(e, "%s", name);
	/* so that the next one need not ask */
	mem_replace(&step->image, done.digest);
	storage_stages_write(&found.stages, engine->store, found.image.manifest.config.digest,
			     &unknown);
	return 0;
}

int engine_image_step_tag(struct engine *engine, const char *name, const char *reference,
			  char **ret_id, struct err *e)
{
	own_clear(found_clear) struct found found = { 0 };
	struct image_progress done = { 0 };

	own_fd int lock = store_lock_layers_shared(engine->store, e);
	if (lock < 0)
		return lock;
	int r = find(engine, name, &found, e);
	if (r == 0)
		r = make(engine, &found, reference, &done, e);
	if (r == 0 && ret_id)
		*ret_id = mem_text(done.digest);
	return r;
}

bool engine_image_step_stages(struct engine *engine, const char *name, struct storage_stages *ret,
			      size_t *ret_stage)
{
	own_clear(found_clear) struct found found = { 0 };
	struct err none;

	if (engine_image_step_is(name)) {
		if (find(engine, name, &found, &none) < 0)
			return false;
		*ret_stage = found.stage;
	} else {
		if (engine_image_find(engine, name, &found.image, NULL, &none) < 0 ||
		    storage_stages_read(&found.stages, engine->store,
					found.image.manifest.config.digest, &none) < 0)
			return false;
		*ret_stage = (size_t)found.stages.target;
	}
	*ret = found.stages;
	found.stages = (struct storage_stages){ 0 };
	return true;
}
