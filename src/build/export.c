#include "build/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/rename.h"
#include "base/str.h"
#include "build/build.h"
#include "build/cache.h"
#include "build/cache_option.h"
#include "build/child.h"
#include "build/output.h"
#include "build/progress.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "image/build_request.h"
#include "image/command.h"
#include "storage/store.h"

/* ---- the image of it ---- */

static void request_clear(struct image_build_request *request)
{
	for (size_t i = 0; i < request->layers.count; i++)
		free(request->layers.items[i].diff_id);
	free(request->layers.items);
}

static bool has_key(const struct image_build_request *request, const char *key)
{
	for (size_t i = 0; i < request->layers.count; i++)
		if (str_equal(request->layers.items[i].portable, key))
			return true;
	return false;
}

/* A step that was done just now has its layer in the cache. */
static void add_layers(struct image_build_request *to, const struct build *build,
		       const struct build_state *state)
{
	for (size_t i = 0; i < state->layers.count; i++) {
		const struct build_layer *layer = &state->layers.items[i];
		if (!layer->key || has_key(to, layer->portable))
			continue;
		own_free char *hex = build_state_is_fresh(layer)
					     ? build_cache_find(build->engine->store, layer->key)
					     : mem_text(layer->name);
		if (hex)
			*shape_list_add(&to->layers) = (struct image_build_layer){
				.diff_id = mem_format("sha256:%s", hex),
				.portable = layer->portable,
				.in_image = true,
			};
	}
}

/* Its digest; it is in no list. */
static int make(const struct build *build, bool target_only, char digest[IMAGE_DIGEST_SIZE],
		struct err *e)
{
	const struct build_target *first = &build->targets.items[0];
	const struct oci_image_config *config = &build->states[first->stage].config;
	own_clear(request_clear) struct image_build_request request = {
		.image = true,
		.annotate = true,
		.unlisted = true,
		.config = { .architecture = config->architecture,
			    .variant = config->variant,
			    .os = config->os,
			    .rootfs = { .type = (char *)"layers" } },
	};
	struct image_progress done = { 0 };

	for (size_t i = 0; i < build->stages.items.count; i++)
		if (build->stages.items.items[i].needed &&
		    (!target_only || i == build_target_of(build, i)->stage))
			add_layers(&request, build, &build->states[i]);
	int r = image_build_ask(&request, build->engine->store, &done, e);
	if (r == 0)
		memcpy(digest, done.digest, IMAGE_DIGEST_SIZE);
	return r;
}

/* ---- where it goes ---- */

struct sending {
	const struct build_cache_option *option;
	const char *digest;
	const char *place; /* a folder that is not there yet; NULL: to a registry */
};

static int send_it(const struct build *build, const void *context, char answer[IMAGE_DIGEST_SIZE],
		   struct err *e)
{
	const struct sending *sending = context;
	const struct store *store = build->engine->store;
	char *digests[] = { (char *)sending->digest };
	const struct strv names = { digests, 1 };

	(void)answer;
	return sending->place
		       ? build_output_save(store, &names, "oci-dir", sending->place, e)
		       : build_output_push(store, sending->digest, sending->option->place, e);
}

/* Nobody's files are removed for a cache. */
static int check_folder(const char *path, struct err *e)
{
	own_free char *layout = mem_format("%s/oci-layout", path);
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "folder %s", path);
	if (S_ISDIR(st.st_mode) && (access(layout, F_OK) == 0 || rmdir(path) == 0))
		return 0;
	err_set(e, ERR_EXISTS, "%s is there, and no cache", path);
	return err_hint(e, "name a folder that is not there, or one that --cache-to made");
}

/* Written beside it, and put in its place when all of it is there. */
static int write_folder(const struct build *build, struct sending *sending, struct err *e)
{
	const char *path = sending->option->place;
	size_t length = strlen(path);
	struct err ignored;

	while (length > 1 && path[length - 1] == '/')
		length--;
	own_free char *to = mem_text_n(path, length);
	own_free char *fresh = mem_format("%s.%d~", to, (int)getpid());
	int r = check_folder(to, e);
	if (r < 0)
		return r;
	sending->place = fresh;
	r = build_child_run(build, "the export", send_it, sending, NULL, e);
	fault_point("build.exported");
	if (r == 0)
		r = rename_exchange_at(AT_FDCWD, fresh, AT_FDCWD, to, e);
	if (r == -ENOENT)
		r = rename(fresh, to) < 0 ? err_sys(e, "rename %s", fresh) : 0;
	fd_remove_tree_at(AT_FDCWD, fresh, &ignored);
	return r;
}

static int export(struct build *build, const struct build_cache_option *option, struct err *e)
{
	char digest[IMAGE_DIGEST_SIZE];
	struct sending sending = { option, digest, NULL };

	int r = make(build, option->target_only, digest, e);
	if (r < 0)
		return r;
	return option->type == BUILD_CACHE_LOCAL
		       ? write_folder(build, &sending, e)
		       : build_child_run(build, "the push", send_it, &sending, NULL, e);
}

int build_export(struct build *build, int number, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->o->cache_to.count; i++) {
		own_clear(build_cache_option_clear) struct build_cache_option option = { 0 };
		r = build_cache_option_to(&option, build->o->cache_to.items[i], e);
		if (r < 0 || option.type == BUILD_CACHE_INLINE)
			continue;
		build_progress_begin(build->progress, number, "exporting the cache");
		r = export(build, &option, e);
		if (r < 0 && option.ignore_error) {
			build_progress_note(build->progress, number, "no cache to %s: %s",
					    option.place, e->text);
			r = 0;
		}
		if (r < 0) {
			build_progress_failed(build->progress, number);
			return err_add(e, "the image is made, but its cache is not: %s",
				       option.place);
		}
		build_progress_done(build->progress, number);
	}
	return r;
}
