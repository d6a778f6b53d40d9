#include "build/base.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/mount.h"
#include "build/progress.h"
#include "build/pull.h"
#include "build/source.h"
#include "build/step.h"
#include "engine/image.h"
#include "storage/image.h"

void build_base_clear(struct build_base *base)
{
	free(base->name);
	free(base->platform);
	free(base->digest);
}

const char *build_base_find(const struct build *build, const char *name, const char *platform)
{
	for (size_t i = 0; i < build->bases.count; i++)
		if (str_equal(build->bases.items[i].name, name) &&
		    str_equal(build->bases.items[i].platform, platform))
			return build->bases.items[i].digest;
	return NULL;
}

static int bring(struct build *build, const char *name, const char *platform, struct err *e)
{
	struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = {
		.name = name,
		.pull = build->o->pull ? ENGINE_PULL_ALWAYS : ENGINE_PULL_MISSING,
		.platform = platform,
		.quiet = build->o->quiet,
	};

	int r = build_pull(build, &request, &found, &image, e);
	/* a folder is refused by the step that names it */
	if (r == 0 && image.digest)
		*shape_list_add(&build->bases) = (struct build_base){
			.name = mem_text(name),
			.platform = platform ? mem_text(platform) : NULL,
			.digest = mem_text(image.digest),
		};
	storage_image_clear(&image);
	shape_clear(&container_image_shape, &found);
	return r;
}

/* Those of this machine, or the others. */
struct round {
	struct build *build;
	bool host;
};

static int bring_one(const struct round *round, const char *name, const char *platform, int line,
		     struct err *e)
{
	struct build *build = round->build;

	name = build_source_image(build->o, name);
	if (oci_platform_is_host(platform) != round->host || str_equal(name, "scratch") ||
	    build_base_find(build, name, platform))
		return 0;
	own_free char *text = mem_format("%s for %s", name, platform ? platform : "this machine");
	build_progress_begin(build->progress, 0, text);
	int r = bring(build, name, platform, e);
	if (r < 0) {
		build_progress_failed(build->progress, 0);
		return err_add(e, "%s: %s:%d", platform, build->context.file_name, line);
	}
	build_progress_done(build->progress, 0);
	return 0;
}

static int bring_source(const struct round *round, size_t stage, const struct build_instruction *at,
			const char *flag, struct err *e)
{
	struct build *build = round->build;
	own_free char *from = build_mount_flag_from(flag);

	if (!from || strchr(from, '$') || build_stage_find(&build->stages, from, stage) >= 0 ||
	    build_source_is_folder(build->o, from))
		return 0;
	return bring_one(round, from, build_target_of(build, stage)->platform, at->line, e);
}

static int bring_of_stage(const struct round *round, size_t number, struct err *e)
{
	struct build *build = round->build;
	const struct build_stage *stage = &build->stages.items.items[number];
	const struct build_instruction *items = build->file.items.items;
	const char *platform =
		stage->platform ? stage->platform : build_target_of(build, number)->platform;
	int r = stage->base_stage >= 0
			? 0
			: bring_one(round, stage->base, platform, items[stage->first].line, e);

	for (size_t at = stage->first + 1; r == 0 && at < stage->end; at++)
		for (size_t f = 0; r == 0 && f < items[at].flags.count; f++)
			r = bring_source(round, number, &items[at], items[at].flags.items[f], e);
	return r;
}

int build_bases_bring(struct build *build, struct err *e)
{
	int r = 0;

	if (!build_targets_are_several(build))
		return 0;
	for (int host = 0; host <= 1; host++) {
		const struct round round = { build, host == 1 };
		for (size_t i = 0; r == 0 && i < build->stages.items.count; i++)
			if (build->stages.items.items[i].needed)
				r = bring_of_stage(&round, i, e);
	}
	return r;
}
