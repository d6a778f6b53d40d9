#include "build/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/cache_option.h"
#include "build/child.h"
#include "build/progress.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "image/cache.h"
#include "image/command.h"
#include "storage/image.h"
#include "storage/layer.h"
#include "storage/store.h"

enum { NUMBER = 0 }; /* in the progress: before the first instruction */

struct build_import {
	char *source; /* for holm-image: a name, or "local:FOLDER" */
	struct storage_image image;
	bool failed; /* to bring a layer: it is not asked again */
};

/* ---- in the child ---- */

struct request {
	const struct build_import *import;
	const char *platform; /* of an index; NULL: this machine's */
	const char *key;      /* NULL: the documents */
};

static int ask(const struct build *build, const void *context, char answer[IMAGE_DIGEST_SIZE],
	       struct err *e)
{
	const struct request *request = context;
	const struct store *store = build->engine->store;
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct image_progress done = { 0 };

	image_command_begin(&arguments, "cache", store);
	if (request->platform)
		strv_addf(&arguments, "--platform=%s", request->platform);
	strv_add(&arguments, "--");
	strv_add(&arguments, request->import->source);
	if (request->key) {
		strv_add(&arguments, request->import->image.digest);
		strv_add(&arguments, request->key);
	}
	int r = image_command_run(&done, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r == 0)
		memcpy(answer, done.digest, IMAGE_DIGEST_SIZE);
	return r;
}

/* ---- which there are ---- */

static bool has_keys(const struct storage_image *image)
{
	for (size_t i = 0; i < image->manifest.layers.count; i++)
		if (shape_map_get(&image->manifest.layers.items[i].annotations, IMAGE_CACHE_KEY))
			return true;
	return false;
}

static int read_one(struct build *build, const char *platform, struct build_import *import,
		    struct err *e)
{
	const struct request request = { import, platform, NULL };
	char digest[IMAGE_DIGEST_SIZE];

	int r = build_child_run(build, "its import", ask, &request, digest, e);
	if (r == 0)
		r = storage_image_read(&import->image, build->engine->store, digest, e);
	if (r == 0)
		r = oci_image_check_layers(&import->image.manifest, &import->image.config, e);
	if (r == 0 && !has_keys(&import->image))
		r = err_set(e, ERR_UNSUPPORTED, "it says of no layer which step made it");
	return r;
}

static void forget(struct build_import *import)
{
	free(import->source);
	storage_image_clear(&import->image);
}

/* Several platforms may lead to one image, a cache made for them. */
static bool is_there(const struct build *build, const struct build_import *import)
{
	for (size_t i = 0; i < build->imports.count; i++)
		if (str_equal(build->imports.items[i].source, import->source) &&
		    str_equal(build->imports.items[i].image.digest, import->image.digest))
			return true;
	return false;
}

static int add(struct build *build, const char *text, const char *platform, struct err *e)
{
	own_clear(build_cache_option_clear) struct build_cache_option option = { 0 };
	struct build_import import = { 0 };
	struct err bad;

	int r = build_cache_option_from(&option, text, e);
	if (r < 0)
		return r;
	bool local = option.type == BUILD_CACHE_LOCAL;
	import.source = mem_format("%s%s", local ? "local:" : "", option.place);
	bool several = build_targets_are_several(build);
	own_free char *title = mem_format("importing the cache of %s%s%s", option.place,
					  several ? " for " : "", several ? platform : "");
	build_progress_begin(build->progress, NUMBER, title);
	if (read_one(build, platform, &import, &bad) == 0) {
		if (is_there(build, &import))
			forget(&import);
		else
			*shape_list_add(&build->imports) = import;
		build_progress_done(build->progress, NUMBER);
		return 0;
	}
	forget(&import);
	r = build_stop_check(build->stop.fd, e);
	if (r == 0)
		build_progress_note(build->progress, NUMBER, "it cannot be had: %s", bad.text);
	return r;
}

int build_import_open(struct build *build, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && !build->o->no_cache && i < build->o->cache_from.count; i++)
		for (size_t t = 0; r == 0 && t < build->targets.count; t++)
			r = add(build, build->o->cache_from.items[i],
				build->targets.items[t].platform, e);
	return r;
}

void build_import_close(struct build *build)
{
	for (size_t i = 0; i < build->imports.count; i++)
		forget(&build->imports.items[i]);
	free(build->imports.items);
}

/* ---- one layer ---- */

static const char *diff_id_of(const struct build_import *import, const char *key)
{
	const struct storage_image *image = &import->image;

	for (size_t i = 0; i < image->manifest.layers.count; i++)
		if (str_equal(shape_map_get(&image->manifest.layers.items[i].annotations,
					    IMAGE_CACHE_KEY),
			      key))
			return image->config.rootfs.diff_ids.items[i];
	return NULL;
}

static int bring(const struct build *build, const struct request *request, const char *diff_id,
		 struct err *e)
{
	if (storage_layer_exists(build->engine->store, diff_id))
		return 0;
	int r = build_child_run(build, "the import of a layer", ask, request, NULL, e);
	if (r == 0 && !storage_layer_exists(build->engine->store, diff_id))
		return err_set(e, ERR_INTERNAL, "it brought another layer");
	return r;
}

char *build_import_find(struct build_step *step)
{
	struct build *build = step->build;
	struct err bad;

	fault_point("build.import");
	for (size_t i = 0; i < build->imports.count; i++) {
		struct build_import *import = &build->imports.items[i];
		const char *diff_id = diff_id_of(import, step->portable);
		const struct request request = { import, NULL, step->portable };
		if (!diff_id || import->failed)
			continue;
		if (bring(build, &request, diff_id, &bad) == 0)
			return mem_text(oci_digest_hex(diff_id));
		import->failed = true;
		build_progress_note(build->progress, step->number, "no layer from %s: %s",
				    import->source, bad.text);
	}
	return NULL;
}
