#include "build/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/step.h"
#include "oci/image.h"

enum { TARGETS_MAX = 64 };

void build_target_clear(struct build_target *target)
{
	free(target->platform);
	strv_clear(&target->global_args);
	strv_clear(&target->platform_args);
}

bool build_targets_are_several(const struct build *build)
{
	return build->targets.count > 1;
}

const struct build_target *build_target_of(const struct build *build, size_t stage)
{
	return &build->targets.items[build->stages.items.items[stage].plan];
}

/* ---- which ---- */

static int check(const struct strv *names, size_t number, struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform parsed = { 0 };

	if (oci_platform_parse(&parsed, names->items[number], e) < 0)
		return err_add(e, "--platform");
	for (size_t i = 0; i < number; i++)
		if (str_equal(names->items[i], names->items[number]))
			return err_set(e, ERR_INVALID, "--platform: %s twice",
				       names->items[number]);
	return 0;
}

int build_targets_read(struct build *build, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	int r = 0;

	if (!build->o->platform) {
		*shape_list_add(&build->targets) = (struct build_target){ 0 };
		return 0;
	}
	strv_split(&names, build->o->platform, ',');
	if (names.count > TARGETS_MAX)
		return err_set(e, ERR_INVALID, "--platform: more than %d", TARGETS_MAX);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		r = check(&names, i, e);
		*shape_list_add(&build->targets) =
			(struct build_target){ .platform = mem_text(names.items[i]) };
	}
	return r;
}

/* ---- variables ---- */

static const char *get_global(const void *context, const char *name)
{
	const struct build_target *target = context;
	const char *value = strv_value(&target->global_args, name);

	return value ? value : strv_value(&target->platform_args, name);
}

static void add_platform(struct strv *to, const char *side, const struct oci_platform *platform)
{
	bool variant = !str_empty(platform->variant);

	strv_addf(to, "%sPLATFORM=%s/%s%s%s", side, platform->os, platform->architecture,
		  variant ? "/" : "", variant ? platform->variant : "");
	strv_addf(to, "%sOS=%s", side, platform->os);
	strv_addf(to, "%sARCH=%s", side, platform->architecture);
	strv_addf(to, "%sVARIANT=%s", side, variant ? platform->variant : "");
}

static int set_platform_args(struct build_target *target, struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform host = { 0 };
	own_clear(oci_platform_clear) struct oci_platform wanted = { 0 };

	oci_platform_host(&host);
	if (oci_platform_parse(&wanted, target->platform, e) < 0)
		return err_add(e, "--platform");
	add_platform(&target->platform_args, "BUILD", &host);
	add_platform(&target->platform_args, "TARGET", &wanted);
	return 0;
}

/* ARGs before the first FROM, in which those before count. */
static int set_global_args(const struct build *build, struct build_target *target,
			   const struct build_word_scope *scope, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->file.items.count; i++) {
		const struct build_instruction *at = &build->file.items.items[i];
		own_clear(strv_clear) struct strv words = { 0 };
		if (at->kind != BUILD_ARG)
			break;
		r = build_word_split(&words, at->rest, scope, e);
		for (size_t w = 0; r == 0 && w < words.count; w++) {
			own_free char *name =
				mem_text_n(words.items[w], strcspn(words.items[w], "="));
			const char *given = strv_value(&build->o->build_arg, name);
			own_free char *pair = mem_format("%s=%s", name, given ? given : "");
			if (given)
				strv_set(&target->global_args, pair);
			else if (strchr(words.items[w], '='))
				strv_set(&target->global_args, words.items[w]);
		}
		if (r < 0)
			return err_add(e, "line %d: ARG", at->line);
	}
	return r;
}

static int plan(struct build *build, struct build_target *target, struct err *e)
{
	const struct build_word_scope scope = { get_global, target, build->file.escape,
						&build->words_left };

	int r = set_platform_args(target, e);
	if (r == 0)
		r = set_global_args(build, target, &scope, e);
	if (r == 0)
		r = build_stage_plan(&build->stages, &target->stage, &build->file, &scope,
				     build->o->target, e);
	return r;
}

int build_targets_plan(struct build *build, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->targets.count; i++)
		r = plan(build, &build->targets.items[i], e);
	return r;
}
