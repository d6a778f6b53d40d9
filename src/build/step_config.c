/* The instructions that change nothing but the image's config. What oci/instruction.h knows as
 * commit's --change is left to it; variables are replaced here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "build/build.h"
#include "build/step.h"
#include "engine/engine.h"
#include "oci/instruction.h"

/* KEY=VALUE words, or the old form of one: KEY and its value, which may have blanks. Each side's
 * variables are those before the instruction. */
static int read_pairs(struct strv *to, const struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	const char *at = step->at->rest;
	size_t length = build_word_length(at, scope.escape);
	char *word;

	if (!memchr(at, '=', length)) {
		const char *value = at + length;
		while (build_word_is_blank(*value))
			value++;
		if (!*value)
			return err_set(e, ERR_INVALID, "'%.60s' has no value", at);
		int r = build_word_expand(&word, value, &scope, e);
		if (r == 0)
			strv_addf(to, "%.*s=%s", (int)length, at, word);
		free(r == 0 ? word : NULL);
		return r;
	}
	for (; *at; at += length) {
		while (build_word_is_blank(*at))
			at++;
		length = build_word_length(at, scope.escape);
		own_free char *raw = mem_text_n(at, length);
		if (!length)
			return 0;
		if (!strchr(raw, '='))
			return err_set(e, ERR_INVALID, "'%.60s' is not KEY=VALUE", raw);
		int r = build_word_expand(&word, raw, &scope, e);
		if (r < 0)
			return r;
		strv_add_take(to, word);
	}
	return 0;
}

static int check_pair(const char *pair, struct err *e)
{
	return *pair == '=' ? err_set(e, ERR_INVALID, "'%.60s': there is no name", pair) : 0;
}

static int set_env(struct build_step *step, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	int r = read_pairs(&pairs, step, e);

	for (size_t i = 0; r == 0 && i < pairs.count; i++) {
		r = check_pair(pairs.items[i], e);
		if (r == 0)
			strv_set(&step->state->config.config.env, pairs.items[i]);
	}
	return r;
}

static int set_label(struct build_step *step, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	int r = read_pairs(&pairs, step, e);

	for (size_t i = 0; r == 0 && i < pairs.count; i++) {
		r = check_pair(pairs.items[i], e);
		char *equals = strchr(pairs.items[i], '=');
		if (r < 0 || !equals)
			break;
		*equals = '\0';
		shape_map_set(&step->state->config.config.labels, pairs.items[i], equals + 1);
	}
	return r;
}

static int expand_rest(char **ret, const struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);

	return build_word_expand(ret, step->at->rest, &scope, e);
}

static int set_user(struct build_step *step, struct err *e)
{
	own_free char *user = NULL;
	int r = expand_rest(&user, step, e);

	if (r == 0 && !*user)
		r = err_set(e, ERR_INVALID, "the user is empty");
	if (r == 0)
		mem_replace(&step->state->config.config.user, user);
	return r;
}

static int set_volume(struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	own_clear(strv_clear) struct strv words = { 0 };
	int r = 0;

	if (!step->at->json)
		r = build_word_split(&words, step->at->rest, &scope, e);
	for (size_t i = 0; r == 0 && step->at->json && i < step->at->words.count; i++) {
		char *word;
		r = build_word_expand(&word, step->at->words.items[i], &scope, e);
		if (r == 0)
			strv_add_take(&words, word);
	}
	for (size_t i = 0; r == 0 && i < words.count; i++) {
		if (!*words.items[i])
			return err_set(e, ERR_INVALID, "the path of a volume is empty");
		if (!strv_contains(&step->state->config.config.volumes, words.items[i]))
			strv_add(&step->state->config.config.volumes, words.items[i]);
	}
	return r;
}

/* Those of whose words the variables are replaced, and the rest is as --change has it. */
static int set_words(struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	own_clear(strv_clear) struct strv words = { 0 };

	int r = build_word_split(&words, step->at->rest, &scope, e);
	if (r < 0)
		return r;
	own_free char *text = strv_join(&words, " ");
	own_free char *whole = mem_format("%s %s", build_file_name(step->at->kind), text);
	return oci_instruction_apply(&step->state->config.config, whole, e);
}

/* Those without variables. */
static int set_plain(struct build_step *step, struct err *e)
{
	own_free char *whole = mem_text(step->at->text);

	if (!*step->at->rest && step->at->kind == BUILD_CMD)
		return 0;
	return oci_instruction_apply(&step->state->config.config, whole, e);
}

/* Kept with its here-documents; that it is sound is said now and not to who builds on it. */
static int set_trigger(struct build_step *step, struct err *e)
{
	own_clear(build_file_clear) struct build_file file = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	str_add(&text, step->at->rest);
	for (size_t i = 0; i < step->at->heredocs.count; i++)
		str_addf(&text, "\n%s%s", step->at->heredocs.items[i].text,
			 step->at->heredocs.items[i].name);
	int r = build_file_parse(&file, "ONBUILD", text.text, text.length, e);
	if (r < 0)
		return r;
	enum build_kind kind = file.items.items[0].kind;
	if (kind == BUILD_ONBUILD || kind == BUILD_FROM || kind == BUILD_MAINTAINER)
		return err_set(e, ERR_INVALID, "%s is not allowed there", build_file_name(kind));
	strv_add(&step->state->config.config.on_build, text.text);
	return 0;
}

static int set_entrypoint(struct build_step *step, struct err *e)
{
	/* a command that came from the base was meant for its entrypoint */
	if (!step->state->command_set)
		strv_clear(&step->state->config.config.cmd);
	if (!*step->at->rest || (step->at->json && !step->at->words.count)) {
		strv_clear(&step->state->config.config.entrypoint);
		return 0;
	}
	return set_plain(step, e);
}

static int set_command(struct build_step *step, struct err *e)
{
	step->state->command_set = true;
	if (!*step->at->rest || (step->at->json && !step->at->words.count)) {
		strv_clear(&step->state->config.config.cmd);
		return 0;
	}
	return set_plain(step, e);
}

static int set_shell(struct build_step *step, struct err *e)
{
	(void)e;
	strv_clear(&step->state->config.config.shell);
	strv_add_all(&step->state->config.config.shell, &step->at->words);
	return 0;
}

static int set_author(struct build_step *step, struct err *e)
{
	(void)e;
	mem_replace(&step->state->config.author, step->at->rest);
	return 0;
}

int build_step_config(struct build_step *step, struct err *e)
{
	static int (*const sets[BUILD_KINDS])(struct build_step * step, struct err * e) = {
		[BUILD_CMD] = set_command,       [BUILD_ENTRYPOINT] = set_entrypoint,
		[BUILD_ENV] = set_env,           [BUILD_EXPOSE] = set_words,
		[BUILD_HEALTHCHECK] = set_plain, [BUILD_LABEL] = set_label,
		[BUILD_MAINTAINER] = set_author, [BUILD_ONBUILD] = set_trigger,
		[BUILD_SHELL] = set_shell,       [BUILD_STOPSIGNAL] = set_words,
		[BUILD_USER] = set_user,         [BUILD_VOLUME] = set_volume,
	};
	int r = sets[step->at->kind](step, e);

	if (r == 0)
		build_state_history(step->state, step->at->text, true);
	return r;
}

/* ---- ARG ---- */

/* A declared one has what the command line says, else its default, else what the ARG before the
 * first FROM, or the platform, has. */
static int declare(struct build_step *step, const char *word, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	const char *equals = strchr(word, '=');
	own_free char *raw_name =
		equals ? mem_text_n(word, (size_t)(equals - word)) : mem_text(word);
	own_free char *name = NULL, *value = NULL;

	int r = build_word_expand(&name, raw_name, &scope, e);
	if (r == 0 && !*name)
		r = err_set(e, ERR_INVALID, "'%.60s': there is no name", word);
	if (r == 0 && equals)
		r = build_word_expand(&value, equals + 1, &scope, e);
	if (r < 0)
		return r;
	const struct build_target *target = build_target_of(step->build, step->stage);
	const char *given = strv_value(&step->build->o->build_arg, name);
	if (!given)
		given = value;
	if (!given)
		given = strv_value(&target->global_args, name);
	if (!given)
		given = strv_value(&target->platform_args, name);
	if (!given)
		return 0;
	own_free char *pair = mem_format("%s=%s", name, given);
	strv_set(&step->state->args, pair);
	return 0;
}

int build_step_arg(struct build_step *step, struct err *e)
{
	const char *at = step->at->rest;
	int r = 0;

	while (r == 0 && *at) {
		size_t length = build_word_length(at, step->build->file.escape);
		own_free char *word = mem_text_n(at, length);
		if (length)
			r = declare(step, word, e);
		at += length;
		while (build_word_is_blank(*at))
			at++;
	}
	return r;
}
