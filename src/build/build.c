#include "build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "build/allow.h"
#include "build/base.h"
#include "build/cache.h"
#include "build/cache_option.h"
#include "build/export.h"
#include "build/given.h"
#include "build/import.h"
#include "build/output.h"
#include "build/platforms.h"
#include "build/progress.h"
#include "build/publish.h"
#include "build/pull.h"
#include "build/schedule.h"
#include "build/source.h"
#include "build/step.h"
#include "build/steps.h"
#include "build/sum.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "storage/gc.h"
#include "storage/store.h"

/* Of an image that says no time of its own: the first one that zip can write (1980-01-01). */
enum { TIME_DEFAULT_S = 315532800 };

/* ---- where a stage begins ---- */

static const char *platform_of(const struct build *build, size_t number)
{
	const char *said = build->stages.items.items[number].platform;

	return said ? said : build_target_of(build, number)->platform;
}

static int begin_scratch(const struct build *build, size_t number, struct build_state *state,
			 struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform platform = { 0 };
	int r = oci_platform_parse(&platform, platform_of(build, number), e);

	if (r < 0)
		return r;
	state->name = mem_text("scratch");
	state->key = mem_text("sha256:scratch");
	state->portable = mem_text(state->key);
	state->config.architecture = mem_text(platform.architecture);
	state->config.variant = mem_text(platform.variant);
	state->config.os = mem_text(platform.os);
	state->config.rootfs.type = mem_text("layers");
	strv_add(&state->config.config.env,
		 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	state->time_s = build->time_given ? build->time_s : TIME_DEFAULT_S;
	return 0;
}

/* All that its files hang on: the layers. */
static char *base_key(const struct strv *layers)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE];

	build_sum_add_all(hash, layers);
	storage_hash_end(hash, digest);
	return mem_text(digest);
}

static int64_t base_time(const char *created)
{
	int64_t ns = 0;
	struct err ignored;

	if (created && moment_parse(&ns, created, &ignored) == 0 &&
	    ns / 1000000000 > TIME_DEFAULT_S)
		return ns / 1000000000;
	return TIME_DEFAULT_S;
}

static int begin_image(const struct build *build, size_t number, struct build_state *state,
		       struct err *e)
{
	const struct build_stage *stage = &build->stages.items.items[number];
	const char *name = build_source_image(build->o, stage->base);
	const char *digest = build_base_find(build, name, platform_of(build, number));
	struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = {
		.name = digest ? digest : name,
		.pull = build->o->pull && !digest ? ENGINE_PULL_ALWAYS : ENGINE_PULL_MISSING,
		.platform = platform_of(build, number),
		.quiet = build->o->quiet,
	};

	int r = build_pull(build, &request, &found, &image, e);
	if (r == 0 && found.rootfs)
		r = err_set(e, ERR_UNSUPPORTED, "FROM %s: a folder is no image", stage->base);
	if (r == 0) {
		state->name = mem_text(stage->base);
		state->parent = mem_text(image.digest);
		state->config = image.config;
		image.config = (struct oci_image_config){ 0 };
		state->key = base_key(&found.layers);
		state->portable = mem_text(state->key);
		for (size_t i = 0; i < found.layers.count; i++)
			*shape_list_add(&state->layers) = (struct build_layer){
				.name = mem_text(found.layers.items[i]),
			};
		state->time_s =
			build->time_given ? build->time_s : base_time(state->config.created);
	}
	storage_image_clear(&image);
	shape_clear(&container_image_shape, &found);
	return r;
}

static int begin_stage(const struct build *build, size_t number, struct err *e)
{
	const struct build_stage *stage = &build->stages.items.items[number];
	struct build_state *state = &build->states[number];

	if (stage->base_stage >= 0) {
		build_state_copy(state, &build->states[stage->base_stage]);
		return 0;
	}
	if (str_equal(stage->base, "scratch"))
		return begin_scratch(build, number, state, e);
	return begin_image(build, number, state, e);
}

/* ---- its steps ---- */

static int (*const steps[BUILD_KINDS])(struct build_step *step, struct err *e) = {
	[BUILD_ADD] = build_step_copy,          [BUILD_ARG] = build_step_arg,
	[BUILD_CMD] = build_step_config,        [BUILD_COPY] = build_step_copy,
	[BUILD_ENTRYPOINT] = build_step_config, [BUILD_ENV] = build_step_config,
	[BUILD_EXPOSE] = build_step_config,     [BUILD_HEALTHCHECK] = build_step_config,
	[BUILD_LABEL] = build_step_config,      [BUILD_MAINTAINER] = build_step_config,
	[BUILD_ONBUILD] = build_step_config,    [BUILD_RUN] = build_step_run,
	[BUILD_SHELL] = build_step_config,      [BUILD_STOPSIGNAL] = build_step_config,
	[BUILD_USER] = build_step_config,       [BUILD_VOLUME] = build_step_config,
	[BUILD_WORKDIR] = build_step_workdir,
};

/* Those that make files have a line of their own. */
static bool is_shown(enum build_kind kind)
{
	return kind == BUILD_RUN || kind == BUILD_COPY || kind == BUILD_ADD ||
	       kind == BUILD_WORKDIR || kind == BUILD_FROM;
}

static int count_shown(const struct build *build, const struct build_stage *stage, size_t until)
{
	int count = 0;

	for (size_t i = stage->first; i < until; i++)
		count += is_shown(build->file.items.items[i].kind);
	return count;
}

/* In the progress: each plan has numbers of its own. */
static int number_of(const struct build *build, size_t stage, size_t at)
{
	return (int)(build->stages.items.items[stage].plan * build->file.items.count + at) + 1;
}

static void show(const struct build *build, size_t number, size_t at)
{
	const struct build_stage *stage = &build->stages.items.items[number];
	const char *platform = build_target_of(build, number)->platform;
	own_free char *name = NULL;

	if (build->stages.items.count > build->targets.count)
		name = stage->name ? mem_format("%s ", stage->name)
				   : mem_format("stage-%zu ", number - stage->begin);
	own_free char *front =
		build_targets_are_several(build) ? mem_format("%s ", platform) : mem_text("");
	own_free char *text = mem_format(
		"[%s%s%d/%d] %s", front, name ? name : "", count_shown(build, stage, at + 1),
		count_shown(build, stage, stage->end), build->file.items.items[at].text);
	build_progress_begin(build->progress, number_of(build, number, at), text);
}

static int failed(const struct build *build, const struct build_instruction *at, int number,
		  struct err *e)
{
	const char *name = build_file_name(at->kind);
	size_t length = strlen(name);

	build_progress_failed(build->progress, number);
	/* oci/instruction.c has said it */
	if (strncmp(e->text, name, length) == 0 && e->text[length] == ':')
		return err_add(e, "%s:%d", build->context.file_name, at->line);
	return err_add(e, "%s:%d: %s", build->context.file_name, at->line,
		       is_shown(at->kind) ? at->text : name);
}

/* One of the file's, or what its base wants done (ONBUILD), as part of the step at. */
static int do_step(struct build *build, size_t number, size_t at,
		   const struct build_instruction *instruction, struct err *e)
{
	struct build_step step = {
		.build = build,
		.state = &build->states[number],
		.at = instruction,
		.stage = number,
		.number = number_of(build, number, at),
	};
	bool own = instruction == &build->file.items.items[at];
	bool shown = own && is_shown(instruction->kind);

	if (shown)
		show(build, number, at);
	if (!own)
		build_progress_note(build->progress, step.number, "ONBUILD %s", instruction->text);
	int r = build_stop_check(build->stop.fd, e);
	if (r == 0)
		r = steps[instruction->kind](&step, e);
	if (r == 0)
		build_steps_note(step.state);
	build_once_release(&build->once);
	if (r < 0)
		return failed(build, own ? instruction : &build->file.items.items[at], step.number,
			      e);
	if (shown)
		build_progress_done(build->progress, step.number);
	return 0;
}

/* What the base wants done first. It is not the base of this image's builds that wants it. */
static int do_triggers(struct build *build, size_t number, struct err *e)
{
	struct strv *triggers = &build->states[number].config.config.on_build;
	own_clear(strv_clear) struct strv texts = *triggers;
	size_t from = build->stages.items.items[number].first;
	int r = 0;

	*triggers = (struct strv){ 0 };
	for (size_t i = 0; r == 0 && i < texts.count; i++) {
		own_clear(build_file_clear) struct build_file file = { 0 };
		r = build_file_parse(&file, "ONBUILD", texts.items[i], strlen(texts.items[i]), e);
		if (r == 0 && (file.items.count != 1 || !steps[file.items.items[0].kind] ||
			       file.items.items[0].kind == BUILD_ONBUILD))
			r = err_set(e, ERR_INVALID, "ONBUILD %.60s: not allowed there",
				    texts.items[i]);
		if (r == 0)
			r = do_step(build, number, from, &file.items.items[0], e);
	}
	return r;
}

static int do_all_steps(struct build *build, size_t number, struct err *e)
{
	const struct build_stage *stage = &build->stages.items.items[number];
	const struct build_instruction *items = build->file.items.items;
	int first = number_of(build, number, stage->first);

	show(build, number, stage->first);
	int r = begin_stage(build, number, e);
	if (r < 0)
		return failed(build, &items[stage->first], first, e);
	build_steps_note(&build->states[number]);
	r = do_triggers(build, number, e);
	if (r == 0)
		build_progress_done(build->progress, first);
	for (size_t at = stage->first + 1; r == 0 && at < stage->end; at++)
		r = do_step(build, number, at, &items[at], e);
	return r;
}

static int do_stage(struct build *build, size_t number, struct err *e)
{
	int r = do_all_steps(build, number, e);

	return r < 0 && build_targets_are_several(build)
		       ? err_add(e, "%s", build_target_of(build, number)->platform)
		       : r;
}

/* ---- the whole ---- */

static int set_time(struct build *build, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	const char *text = build->o->timestamp ? build->o->timestamp : epoch;

	if (str_empty(text))
		return 0;
	build->time_given = true;
	return number_parse_i64(&build->time_s, text, 0, INT32_MAX, e) < 0
		       ? err_add(e, build->o->timestamp ? "--timestamp" : "SOURCE_DATE_EPOCH")
		       : 0;
}

static int prepare(struct build *build, const char *context, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	int r = build_targets_read(build, e);
	if (r == 0)
		r = build_publish_names(&names, build, e);
	if (r == 0)
		r = build_output_check(build, e);
	if (r == 0)
		r = build_given_check(build->o, e);
	if (r == 0)
		r = build_step_run_check(build->o, e);
	if (r == 0)
		r = build_cache_option_check(build->o, e);
	if (r == 0)
		r = set_time(build, e);
	if (r == 0)
		r = build_context_open(&build->context, build, context, build->o->file, e);
	if (r == 0)
		r = build_file_parse(&build->file, build->context.file_name, build->context.file,
				     build->context.file_length, e);
	if (r == 0)
		r = build_targets_plan(build, e);
	if (r == 0)
		r = build_allow_check(build, e);
	if (r == 0)
		r = build_cache_open(build->engine->store, e);
	build->states = mem_new(build->stages.items.count + 1, sizeof(*build->states));
	return r;
}

static int finish_config(struct build *build, const struct build_target *target, struct err *e)
{
	struct build_state *state = &build->states[target->stage];
	char created[MOMENT_TEXT_SIZE];

	moment_format(created, state->time_s * 1000000000);
	mem_replace(&state->config.created, created);
	return shape_map_set_pairs(&state->config.config.labels, &build->o->label, "--label", e);
}

/* An image of each target; their ids. */
static int make_images(struct build *build, struct strv *ret_ids, int number, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->targets.count; i++)
		r = finish_config(build, &build->targets.items[i], e);
	if (r == 0 && build_targets_are_several(build))
		r = build_publish(build, NULL, NULL, e);
	for (size_t i = 0; r == 0 && i < build->targets.count; i++) {
		const struct build_target *target = &build->targets.items[i];
		char id[IMAGE_DIGEST_SIZE];
		r = build_publish(build, target, id, e);
		if (r == 0)
			r = build_steps_keep(build, target, id, e);
		if (r < 0)
			return err_add(e, "make the image");
		strv_add(ret_ids, id);
		build_progress_note(build->progress, number, "writing image %s", id);
	}
	return r;
}

static int make_result(struct build *build, char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	int number = (int)(build->stages.plans * build->file.items.count) + 1;
	own_clear(strv_clear) struct strv ids = { 0 };

	build_progress_begin(build->progress, number, "exporting to image");
	int r = make_images(build, &ids, number, e);
	if (r == 0)
		r = build_platforms_index(build, &ids, ret_id, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < build->o->tag.count; i++)
		build_progress_note(build->progress, number, "naming to %s",
				    build->o->tag.items[i]);
	r = build_output_write(build, &ids, e);
	if (r < 0)
		return err_add(e, "--output");
	build_progress_done(build->progress, number);
	r = build->o->metadata_file
		    ? build_output_metadata(build->o, ret_id, build->o->metadata_file, e)
		    : 0;
	return r < 0 ? r : build_export(build, number + 1, e);
}

static int do_all(struct build *build, char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	struct err kept;
	int r = build_bases_bring(build, e);

	if (r == 0)
		r = build_schedule(build, do_stage, e);
	if (r == 0)
		return make_result(build, ret_id, e);
	/* what was done is done */
	build_publish(build, NULL, NULL, &kept);
	return r;
}

static void build_clear(struct build *build)
{
	for (size_t i = 0; build->states && i < build->stages.items.count; i++)
		build_state_clear(&build->states[i]);
	free(build->states);
	for (size_t i = 0; i < build->folders.count; i++)
		storage_layer_end(&build->folders.items[i]);
	free(build->folders.items);
	storage_layer_end(&build->places);
	build_context_close(&build->context);
	build_file_clear(&build->file);
	build_stage_clear(&build->stages);
	for (size_t i = 0; i < build->targets.count; i++)
		build_target_clear(&build->targets.items[i]);
	free(build->targets.items);
	for (size_t i = 0; i < build->bases.count; i++)
		build_base_clear(&build->bases.items[i]);
	free(build->bases.items);
	build_progress_free(build->progress);
	build_stop_end(&build->stop);
	build_once_close(&build->once);
	build_agents_end(&build->agents, build);
	build_import_close(build);
}

int build_image(struct engine *engine, const struct build_options *o, const char *context,
		char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	own_clear(build_clear) struct build build = {
		.engine = engine,
		.o = o,
		.context = BUILD_CONTEXT_NONE,
		.stop = { .fd = -1 },
		.once = { .fd = -1 },
		.agents = BUILD_AGENTS_NONE,
		.words_left = BUILD_WORDS_MAX,
	};

	enum build_progress_kind kind;
	int r = build_progress_kind_find(&kind, o->progress, o->quiet, e);
	if (r < 0)
		return r;
	build.progress = build_progress_new(kind);
	build_run_folder_sweep(engine->store);
	r = storage_gc_unfinished(engine->store, e);
	if (r < 0)
		return r;
	/* the garbage collector waits until the layers that are used here have names */
	own_fd int lock = store_lock_layers_shared(engine->store, e);
	if (lock < 0)
		return lock;
	r = prepare(&build, context, e);
	if (r == 0)
		r = build_agents_start(&build.agents, &build, e);
	if (r == 0)
		r = build_once_open(&build.once, e);
	if (r == 0)
		r = build_stop_begin(&build.stop, e);
	if (r == 0)
		r = build_import_open(&build, e);
	return r < 0 ? r : do_all(&build, ret_id, e);
}
