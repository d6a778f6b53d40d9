#include "build/stage.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "build/file.h"
#include "build/mount.h"
#include "build/word.h"

enum { STAGES_MAX = 1000 };

void build_stage_clear(struct build_stages *stages)
{
	for (size_t i = 0; i < stages->items.count; i++) {
		struct build_stage *stage = &stages->items.items[i];
		free(stage->name);
		free(stage->base);
		free(stage->platform);
		free(stage->needs);
	}
	free(stages->items.items);
	*stages = (struct build_stages){ 0 };
}

/* Of those from begin to before. */
static int find_between(const struct build_stages *stages, const char *text, size_t begin,
			size_t before)
{
	int64_t number;
	struct err ignored;

	for (size_t i = before; i-- > begin;) {
		const char *name = stages->items.items[i].name;
		if (name && strcasecmp(name, text) == 0)
			return (int)i;
	}
	if (before > begin &&
	    number_parse_i64(&number, text, 0, (int64_t)(before - begin) - 1, &ignored) == 0)
		return (int)begin + (int)number;
	return -1;
}

int build_stage_check(const struct build_stages *stages, const char *text, size_t number,
		      struct err *e)
{
	const struct build_stage *stage = &stages->items.items[number];
	size_t count = number - stage->begin;

	if (*text && !text[strspn(text, "0123456789")])
		return err_set(e, ERR_NOT_FOUND, "stage %s: %zu stages are before this one", text,
			       count);
	for (size_t i = number; i < stages->items.count; i++) {
		const struct build_stage *other = &stages->items.items[i];
		if (other->plan != stage->plan || !other->name ||
		    strcasecmp(other->name, text) != 0)
			continue;
		err_set(e, ERR_INVALID, "the stage %s is not before this one", other->name);
		return err_hint(e, "move it up; an image of that name goes by docker.io/library/%s",
				other->name);
	}
	return 0;
}

int build_stage_find(const struct build_stages *stages, const char *text, size_t number)
{
	return find_between(stages, text, stages->items.items[number].begin, number);
}

/* [a-z][a-z0-9-_.]*: what BuildKit takes for the name of a stage. */
static char *stage_name(const char *text)
{
	char *name = mem_text(text);

	for (char *at = name; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
		bool letter = *at >= 'a' && *at <= 'z';
		bool other = (*at >= '0' && *at <= '9') || strchr("-_.", *at);
		if (!letter && !(other && at != name)) {
			free(name);
			return NULL;
		}
	}
	return name;
}

/* FROM [--platform=P] IMAGE [AS NAME] */
static int read_from(struct build_stage *stage, const struct build_instruction *from,
		     const struct build_word_scope *scope, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };
	const char *platform = build_file_flag(from, "platform");

	strv_split(&words, from->rest, ' ');
	for (size_t i = words.count; i-- > 0;)
		if (!*words.items[i])
			strv_remove(&words, i);
	if (words.count != 1 && !(words.count == 3 && !strcasecmp(words.items[1], "as")))
		return err_set(e, ERR_INVALID, "FROM %s: not IMAGE or IMAGE AS NAME", from->rest);
	int r = build_word_expand(&stage->base, words.items[0], scope, e);
	if (r == 0 && platform)
		r = build_word_expand(&stage->platform, platform, scope, e);
	if (r < 0)
		return err_add(e, "FROM");
	if (!*stage->base) {
		err_set(e, ERR_INVALID, "FROM %s: the image's name is empty", words.items[0]);
		return err_hint(e, "an ARG before the first FROM, or --build-arg, gives it");
	}
	if (words.count == 3 && !(stage->name = stage_name(words.items[2])))
		return err_set(e, ERR_INVALID, "FROM ... AS %s: not a name for a stage",
			       words.items[2]);
	return 0;
}

/* What COPY and RUN of a stage take from others before it. */
static void find_needs(const struct build_stages *stages, size_t number,
		       const struct build_file *file)
{
	struct build_stage *stage = &stages->items.items[number];

	stage->needs = mem_new(number + 1, sizeof(bool));
	if (stage->base_stage >= 0)
		stage->needs[stage->base_stage] = true;
	for (size_t i = stage->first + 1; i < stage->end; i++) {
		const struct build_instruction *at = &file->items.items[i];
		for (size_t f = 0; f < at->flags.count; f++) {
			own_free char *from = build_mount_flag_from(at->flags.items[f]);
			int found = from ? build_stage_find(stages, from, number) : -1;
			if (found >= 0)
				stage->needs[found] = true;
			/* which one is known when it is done */
			for (size_t k = stage->begin; from && strchr(from, '$') && k < number; k++)
				stage->needs[k] = true;
		}
	}
}

static void mark_needed(const struct build_stages *stages, size_t number)
{
	struct build_stage *stage = &stages->items.items[number];

	stage->needed = true;
	/* only those before it, so from the last on one pass is enough */
	for (size_t i = number + 1; i-- > 0;) {
		const struct build_stage *user = &stages->items.items[i];
		for (size_t n = 0; user->needed && n < i; n++)
			stages->items.items[n].needed |= user->needs[n];
	}
}

static int choose_target(size_t *ret, const struct build_stages *stages, size_t begin,
			 const char *target, struct err *e)
{
	int found = target ? find_between(stages, target, begin, stages->items.count)
			   : (int)stages->items.count - 1;

	if (found < 0)
		return err_set(e, ERR_NOT_FOUND, "--target %s: no stage has that name", target);
	*ret = (size_t)found;
	mark_needed(stages, *ret);
	return 0;
}

static int add_stage(struct build_stages *ret, size_t begin, const struct build_file *file,
		     size_t at, const struct build_word_scope *scope, struct err *e)
{
	if (ret->items.count == STAGES_MAX)
		return err_set(e, ERR_INVALID, "more than %d stages", STAGES_MAX);
	struct build_stage *stage = shape_list_add(&ret->items);
	*stage = (struct build_stage){
		.plan = ret->plans, .begin = begin, .first = at, .base_stage = -1
	};
	int r = read_from(stage, &file->items.items[at], scope, e);
	if (r < 0)
		return err_add(e, "line %d", file->items.items[at].line);
	for (size_t i = begin; i + 1 < ret->items.count; i++)
		if (stage->name && str_equal(ret->items.items[i].name, stage->name))
			return err_set(e, ERR_INVALID, "line %d: two stages are called %s",
				       file->items.items[at].line, stage->name);
	stage->end = at + 1;
	while (stage->end < file->items.count && file->items.items[stage->end].kind != BUILD_FROM)
		stage->end++;
	/* a number means an image here, as in docker */
	for (size_t i = ret->items.count - 1; i-- > begin;)
		if (ret->items.items[i].name && !strcasecmp(ret->items.items[i].name, stage->base))
			stage->base_stage = (int)i;
	find_needs(ret, ret->items.count - 1, file);
	return 0;
}

int build_stage_plan(struct build_stages *to, size_t *ret_target, const struct build_file *file,
		     const struct build_word_scope *scope, const char *target, struct err *e)
{
	size_t at = 0, begin = to->items.count;

	for (; at < file->items.count && file->items.items[at].kind != BUILD_FROM; at++)
		if (file->items.items[at].kind != BUILD_ARG)
			return err_set(e, ERR_INVALID, "line %d: %s before the first FROM",
				       file->items.items[at].line,
				       build_file_name(file->items.items[at].kind));
	if (at == file->items.count)
		return err_set(e, ERR_INVALID, "there is no FROM in it");
	while (at < file->items.count) {
		int r = add_stage(to, begin, file, at, scope, e);
		if (r < 0)
			return r;
		at = to->items.items[to->items.count - 1].end;
	}
	to->plans++;
	return choose_target(ret_target, to, begin, target, e);
}
