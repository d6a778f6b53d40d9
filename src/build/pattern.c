#include "build/pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* A pattern as tokens, which can be read from either end. */
enum token_kind { TOKEN_BYTE, TOKEN_STAR, TOKEN_LEAD, TOKEN_REST };

struct token {
	enum token_kind kind;
	char byte;
};

struct tokens {
	struct token *items;
	size_t count;
	bool *now, *next; /* which tokens come next; count + 1 each */
	int64_t steps;    /* left */
};

static void tokens_clear(struct tokens *tokens)
{
	free(tokens->items);
	free(tokens->now);
	free(tokens->next);
}

static void add(struct tokens *to, enum token_kind kind, char byte)
{
	to->items[to->count++] = (struct token){ kind, byte };
}

static void tokens_read(struct tokens *to, const char *pattern, bool reversed, int64_t steps)
{
	size_t length = strlen(pattern);

	to->items = mem_new(2 * length + 1, sizeof(*to->items));
	for (const char *at = pattern; *at; at++) {
		if (*at == '*') {
			add(to, TOKEN_STAR, 0);
		} else if (*at == '?') {
			/* the first byte of a character, and those that go on with it */
			add(to, TOKEN_LEAD, 0);
			add(to, TOKEN_REST, 0);
		} else {
			if (*at == '\\' && at[1])
				at++;
			add(to, TOKEN_BYTE, *at);
		}
	}
	for (size_t i = 0; reversed && i < to->count / 2; i++) {
		struct token first = to->items[i];
		to->items[i] = to->items[to->count - 1 - i];
		to->items[to->count - 1 - i] = first;
	}
	to->now = mem_new(to->count + 1, sizeof(bool));
	to->next = mem_new(to->count + 1, sizeof(bool));
	to->steps = steps;
}

static bool is_rest(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Tokens that may match nothing let the one behind them come, too. */
static void skip_empty(const struct tokens *tokens, bool *set)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (set[i] &&
		    (tokens->items[i].kind == TOKEN_STAR || tokens->items[i].kind == TOKEN_REST))
			set[i + 1] = true;
}

/* One byte more; false: nothing can match any longer. */
static bool step(struct tokens *tokens, char c)
{
	bool alive = false;

	memset(tokens->next, 0, tokens->count + 1);
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		bool stays = token->kind == TOKEN_STAR || token->kind == TOKEN_REST;
		bool takes = token->kind == TOKEN_STAR ||
			     (token->kind == TOKEN_BYTE && token->byte == c) ||
			     (token->kind == TOKEN_LEAD && !is_rest(c)) ||
			     (token->kind == TOKEN_REST && is_rest(c));
		if (!tokens->now[i] || !takes)
			continue;
		tokens->next[stays ? i : i + 1] = true;
		alive = true;
	}
	skip_empty(tokens, tokens->next);
	bool *swap = tokens->now;
	tokens->now = tokens->next;
	tokens->next = swap;
	return alive;
}

static int too_long(struct err *e)
{
	return err_set(e, ERR_INVALID, "a pattern and a text as long as these take too long");
}

/* No character of UTF-8 is taken in half. */
static bool is_between(const char *at, size_t taken, size_t length, int direction)
{
	if (direction > 0)
		return taken == length || !is_rest(at[taken]);
	return taken == 0 || !is_rest(*(at - (taken - 1)));
}

/* How much of the text, from at on in this direction, the pattern matches: the least or the most;
 * -1: it does not. */
static int match(int64_t *ret, struct tokens *tokens, const char *at, size_t length, int direction,
		 bool longest, struct err *e)
{
	*ret = -1;
	memset(tokens->now, 0, tokens->count + 1);
	tokens->now[0] = true;
	skip_empty(tokens, tokens->now);
	for (size_t i = 0;; i++) {
		if (tokens->now[tokens->count] && is_between(at, i, length, direction)) {
			*ret = (int64_t)i;
			if (!longest)
				return 0;
		}
		if (i == length)
			return 0;
		tokens->steps -= (int64_t)tokens->count + 1;
		if (tokens->steps < 0)
			return too_long(e);
		if (!step(tokens, direction > 0 ? at[i] : *(at - i)))
			return 0;
	}
}

int build_pattern_trim(struct str *to, const char *text, const char *pattern, unsigned how,
		       int64_t steps_max, struct err *e)
{
	own_clear(tokens_clear) struct tokens tokens = { 0 };
	bool suffix = how & BUILD_PATTERN_SUFFIX;
	size_t length = strlen(text);
	int64_t matched;

	tokens_read(&tokens, pattern, suffix, steps_max);
	const char *at = suffix && length ? text + length - 1 : text;
	int r = match(&matched, &tokens, at, length, suffix ? -1 : 1, how & BUILD_PATTERN_LONGEST,
		      e);
	if (r < 0)
		return r;
	size_t gone = matched < 0 ? 0 : (size_t)matched;
	str_add_n(to, suffix ? text : text + gone, length - gone);
	return 0;
}

int build_pattern_replace(struct str *to, const char *text, const char *pattern, const char *by,
			  int all, int64_t steps_max, struct err *e)
{
	own_clear(tokens_clear) struct tokens tokens = { 0 };
	const char *end = text + strlen(text);
	size_t start_length = to->length;
	bool done = false;

	tokens_read(&tokens, pattern, false, steps_max);
	while (*text && !done) {
		int64_t matched;
		int r = match(&matched, &tokens, text, (size_t)(end - text), 1, true, e);
		if (r < 0)
			return r;
		if (matched > 0) {
			str_add(to, by);
			text += matched;
			done = !all;
		} else {
			str_add_char(to, *text++);
		}
		if (to->length - start_length > (size_t)steps_max)
			return too_long(e);
	}
	str_add_n(to, text, (size_t)(end - text));
	return 0;
}
