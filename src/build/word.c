#include "build/word.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/pattern.h"

/* What is being read, and what it has become. */
struct lexer {
	const char *at;
	const struct build_word_scope *scope;
	int depth;
	struct str word;
	bool begun;         /* there is a word, though it may be empty */
	struct strv *words; /* where a blank ends one; NULL: it does not */
};

static void lexer_clear(struct lexer *lexer)
{
	str_clear(&lexer->word);
}

/* A variable costs next to nothing where it stands: what comes of all of them is counted, too. */
static int add(struct lexer *lexer, const char *text, size_t length, struct err *e)
{
	size_t *left = lexer->scope->left;

	lexer->begun = true;
	if (length > BUILD_WORD_MAX - lexer->word.length)
		return err_set(e, ERR_INVALID, "a word of more than %d bytes", BUILD_WORD_MAX);
	if (left && length > *left)
		return err_set(e, ERR_INVALID, "words of more than %d bytes together",
			       BUILD_WORDS_MAX);
	if (left)
		*left -= length;
	str_add_n(&lexer->word, text, length);
	return 0;
}

static void end_word(struct lexer *lexer)
{
	if (lexer->begun)
		strv_add_take(lexer->words, str_take(&lexer->word));
	lexer->begun = false;
}

/* The value of a variable outside of quotes. */
static int add_value(struct lexer *lexer, const char *value, struct err *e)
{
	if (!lexer->words)
		return add(lexer, value, strlen(value), e);
	for (; *value; value++) {
		int r = 0;
		if (build_word_is_blank(*value))
			end_word(lexer);
		else
			r = add(lexer, value, 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- variables ---- */

static bool is_letter(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "" where there is none. */
static char *read_name(struct lexer *lexer)
{
	const char *from = lexer->at;

	if (is_letter(*from))
		while (is_letter(*lexer->at) || is_digit(*lexer->at))
			lexer->at++;
	else if (is_digit(*from))
		while (is_digit(*lexer->at))
			lexer->at++;
	else if (*from && strchr("@*#?-$!", *from))
		lexer->at++;
	return mem_text_n(from, (size_t)(lexer->at - from));
}

static int read_until(struct lexer *lexer, const char *stop, bool raw, struct err *e);

/* The text up to one of stop, whose variables are replaced; the caller frees. With raw escapes
 * stay, as the pattern wants them. */
static int read_part(char **ret, struct lexer *lexer, char stop, bool raw, struct err *e)
{
	own_clear(lexer_clear) struct lexer part = { lexer->at, lexer->scope, lexer->depth + 1 };
	const char stops[] = { stop, '\0' };

	if (part.depth > BUILD_WORD_DEPTH_MAX)
		return err_set(e, ERR_INVALID, "variables within variables, too deep");
	int r = read_until(&part, stops, raw, e);
	if (r < 0)
		return r;
	lexer->at = part.at;
	if (*lexer->at != stop)
		return err_set(e, ERR_INVALID, "no closing %c behind ${", stop);
	lexer->at++;
	*ret = str_take(&part.word);
	return 0;
}

/* ${name:-word} and the like, at the sign. */
static int read_default(struct str *to, struct lexer *lexer, const char *name, const char *value,
			bool empty_is_unset, struct err *e)
{
	own_free char *word = NULL;
	char sign = *lexer->at++;
	bool set = value && !(empty_is_unset && !*value);

	int r = read_part(&word, lexer, '}', false, e);
	if (r < 0)
		return r;
	switch (sign) {
	case '-':
		str_add(to, set ? value : word);
		return 0;
	case '+':
		str_add(to, set ? word : "");
		return 0;
	case '?':
		str_add(to, set ? value : "");
		return set ? 0
			   : err_set(e, ERR_INVALID, "%s: %s", name,
				     *word ? word : "is not allowed to be unset");
	default:
		return err_set(e, ERR_INVALID, "${%s: '%c' is none of :- :+ :?", name, sign);
	}
}

/* ${name#pattern} and the like, at the sign. */
static int read_trim(struct str *to, struct lexer *lexer, const char *value, struct err *e)
{
	own_free char *pattern = NULL;
	char sign = *lexer->at++;
	unsigned how = sign == '#' ? BUILD_PATTERN_PREFIX : BUILD_PATTERN_SUFFIX;

	if (*lexer->at == sign) {
		lexer->at++;
		how |= BUILD_PATTERN_LONGEST;
	}
	int r = read_part(&pattern, lexer, '}', true, e);
	return r < 0 ? r
		     : build_pattern_trim(to, value ? value : "", pattern, how,
					  BUILD_WORD_STEPS_MAX, e);
}

/* ${name/pattern/word}, at the first slash. */
static int read_replace(struct str *to, struct lexer *lexer, const char *value, struct err *e)
{
	own_free char *pattern = NULL, *by = NULL;
	bool all = *++lexer->at == '/';

	lexer->at += all;
	int r = read_part(&pattern, lexer, '/', true, e);
	if (r == 0)
		r = read_part(&by, lexer, '}', true, e);
	return r < 0 ? r
		     : build_pattern_replace(to, value ? value : "", pattern, by, all,
					     BUILD_WORD_STEPS_MAX, e);
}

/* Behind "${". */
static int read_braced(struct str *to, struct lexer *lexer, struct err *e)
{
	own_free char *name = read_name(lexer);

	if (!*name)
		return err_set(e, ERR_INVALID, "'${%.20s': bad substitution", lexer->at);
	const char *value = lexer->scope->get(lexer->scope->context, name);
	switch (*lexer->at) {
	case '}':
		lexer->at++;
		str_add(to, value ? value : "");
		return 0;
	case ':':
		lexer->at++;
		if (!*lexer->at)
			break;
		return read_default(to, lexer, name, value, true, e);
	case '-':
	case '+':
	case '?':
		return read_default(to, lexer, name, value, false, e);
	case '#':
	case '%':
		return read_trim(to, lexer, value, e);
	case '/':
		return read_replace(to, lexer, value, e);
	default:
		break;
	}
	return err_set(e, ERR_INVALID, "'${%s%.20s': not a substitution that is known", name,
		       lexer->at);
}

/* At the dollar. *ret_plain: it is one, and no variable. */
static int read_variable(struct str *to, struct lexer *lexer, bool *ret_plain, struct err *e)
{
	*ret_plain = false;
	lexer->at++;
	if (*lexer->at == '{') {
		lexer->at++;
		return read_braced(to, lexer, e);
	}
	own_free char *name = read_name(lexer);
	if (!*name) {
		*ret_plain = true;
		return 0;
	}
	const char *value = lexer->scope->get(lexer->scope->context, name);
	str_add(to, value ? value : "");
	return 0;
}

static int take_variable(struct lexer *lexer, bool quoted, struct err *e)
{
	own_clear(str_clear) struct str value = { 0 };
	bool plain;

	int r = read_variable(&value, lexer, &plain, e);
	if (r < 0)
		return r;
	if (plain)
		return add(lexer, "$", 1, e);
	if (quoted)
		return add(lexer, value.text ? value.text : "", value.length, e);
	return add_value(lexer, value.text ? value.text : "", e);
}

/* ---- quotes ---- */

static int take_single(struct lexer *lexer, struct err *e)
{
	const char *end = strchr(lexer->at + 1, '\'');

	if (!end)
		return err_set(e, ERR_INVALID, "no closing '");
	int r = add(lexer, lexer->at + 1, (size_t)(end - lexer->at) - 1, e);
	lexer->at = end + 1;
	return r;
}

static int take_double(struct lexer *lexer, struct err *e)
{
	const char special[] = { '"', '$', lexer->scope->escape, '\0' };
	int r = add(lexer, "", 0, e);

	lexer->at++;
	while (r == 0 && *lexer->at && *lexer->at != '"') {
		if (*lexer->at == '$') {
			r = take_variable(lexer, true, e);
			continue;
		}
		if (*lexer->at == lexer->scope->escape && lexer->at[1] &&
		    strchr(special, lexer->at[1]))
			lexer->at++;
		r = add(lexer, lexer->at++, 1, e);
	}
	if (r < 0)
		return r;
	if (!*lexer->at)
		return err_set(e, ERR_INVALID, "no closing \"");
	lexer->at++;
	return 0;
}

static int take_plain(struct lexer *lexer, bool raw, struct err *e)
{
	if (*lexer->at == lexer->scope->escape) {
		if (raw && lexer->at[1]) {
			int r = add(lexer, "\\", 1, e);
			if (r < 0)
				return r;
		}
		lexer->at++;
		/* at the very end it is nothing */
		if (!*lexer->at)
			return 0;
	}
	return add(lexer, lexer->at++, 1, e);
}

static int read_until(struct lexer *lexer, const char *stop, bool raw, struct err *e)
{
	int r = 0;

	while (r == 0 && *lexer->at && !strchr(stop, *lexer->at)) {
		if (*lexer->at == '\'')
			r = take_single(lexer, e);
		else if (*lexer->at == '"')
			r = take_double(lexer, e);
		else if (*lexer->at == '$')
			r = take_variable(lexer, false, e);
		else if (lexer->words && build_word_is_blank(*lexer->at)) {
			end_word(lexer);
			lexer->at++;
		} else
			r = take_plain(lexer, raw, e);
	}
	return r;
}

int build_word_expand(char **ret, const char *text, const struct build_word_scope *scope,
		      struct err *e)
{
	own_clear(lexer_clear) struct lexer lexer = { text, scope, 0 };

	int r = read_until(&lexer, "", false, e);
	if (r == 0)
		*ret = str_take(&lexer.word);
	return r;
}

int build_word_expand_text(char **ret, const char *text, const struct build_word_scope *scope,
			   struct err *e)
{
	own_clear(lexer_clear) struct lexer lexer = { text, scope, 0 };
	int r = 0;

	while (r == 0 && *lexer.at) {
		if (*lexer.at == '$') {
			r = take_variable(&lexer, true, e);
			continue;
		}
		if (*lexer.at == scope->escape && lexer.at[1] &&
		    (lexer.at[1] == '$' || lexer.at[1] == scope->escape))
			lexer.at++;
		r = add(&lexer, lexer.at++, 1, e);
	}
	if (r == 0)
		*ret = str_take(&lexer.word);
	return r;
}

int build_word_split(struct strv *ret, const char *text, const struct build_word_scope *scope,
		     struct err *e)
{
	own_clear(lexer_clear) struct lexer lexer = { text, scope, 0, .words = ret };

	int r = read_until(&lexer, "", false, e);
	if (r == 0)
		end_word(&lexer);
	return r;
}

size_t build_word_length(const char *text, char escape)
{
	const char *at = text;
	char quote = 0;

	for (; *at && (quote || !build_word_is_blank(*at)); at++) {
		if (*at == escape && at[1] && quote != '\'')
			at++;
		else if (quote ? *at == quote : (*at == '"' || *at == '\''))
			quote = quote ? 0 : *at;
	}
	return (size_t)(at - text);
}
