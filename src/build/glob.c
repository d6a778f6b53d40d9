#include "build/glob.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

enum kind {
	KIND_BYTE,
	KIND_ONE,  /* any byte but a slash and those of KIND_REST */
	KIND_MANY, /* any number of these */
	KIND_SET,
	KIND_REST,    /* of a character of UTF-8: any number of bytes 10xxxxxx */
	KIND_ALL,     /* any number of any bytes */
	KIND_FOLDERS, /* nothing, or any bytes up to and with a slash: three tokens in one */
};

bool build_glob_is(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") != NULL;
}

void build_glob_clear(struct build_glob *glob)
{
	free(glob->literal);
	free(glob->tokens);
	*glob = (struct build_glob){ 0 };
}

static struct build_glob_token *add(struct build_glob *to, enum kind kind, char byte)
{
	struct build_glob_token *token = &to->tokens[to->count++];

	*token = (struct build_glob_token){ .kind = kind, .byte = (unsigned char)byte };
	return token;
}

static int bad(const char *pattern, struct err *e)
{
	return err_set(e, ERR_INVALID, "'%.100s': not a pattern", pattern);
}

static void include(struct build_glob_token *token, unsigned char low, unsigned char high)
{
	for (unsigned c = low; c <= high; c++)
		token->set[c / 8] |= (unsigned char)(1u << (c % 8));
}

/* A byte of a class at *at, perhaps behind a backslash; -1: there is none. */
static int take_byte(const char **at)
{
	if (**at == '\\')
		++*at;
	return **at ? (unsigned char)*(*at)++ : -1;
}

/* Behind the '[', up to behind the ']'. */
static int take_set(struct build_glob *to, const char **at, const char *pattern, struct err *e)
{
	struct build_glob_token *token = add(to, KIND_SET, 0);
	bool negated = **at == '^' || **at == '!';
	size_t ranges = 0;

	*at += negated;
	while (**at && (**at != ']' || !ranges)) {
		int low = take_byte(at), high = low;
		if (low >= 0 && **at == '-' && (*at)[1] && (*at)[1] != ']') {
			++*at;
			high = take_byte(at);
		}
		if (low < 0 || high < low)
			return bad(pattern, e);
		include(token, (unsigned char)low, (unsigned char)high);
		ranges++;
	}
	if (**at != ']')
		return bad(pattern, e);
	++*at;
	for (size_t i = 0; negated && i < sizeof(token->set); i++)
		token->set[i] = (unsigned char)~token->set[i];
	token->set['/' / 8] &= (unsigned char)~(1u << ('/' % 8));
	if (!negated)
		return 0;
	/* what is not in it may be a character of several bytes */
	memset(token->set + 0x80 / 8, 0, 0x40 / 8);
	add(to, KIND_REST, 0);
	return 0;
}

/* At a star. */
static void take_star(struct build_glob *to, const char **at, bool folders)
{
	if (!folders || (*at)[1] != '*') {
		add(to, KIND_MANY, 0);
		++*at;
		return;
	}
	while (**at == '*')
		++*at;
	if (**at == '/') {
		++*at;
		add(to, KIND_FOLDERS, 0);
	} else {
		add(to, KIND_ALL, 0);
	}
}

int build_glob_compile(struct build_glob *ret, const char *pattern, bool folders, struct err *e)
{
	own_clear(build_glob_clear) struct build_glob glob = { 0 };
	int r = 0;

	if (strlen(pattern) > BUILD_GLOB_MAX)
		return err_set(e, ERR_INVALID, "a pattern of more than %d bytes", BUILD_GLOB_MAX);
	if (!build_glob_is(pattern)) {
		ret->literal = mem_text(pattern);
		return 0;
	}
	glob.tokens = mem_new(2 * strlen(pattern) + 1, sizeof(*glob.tokens));
	for (const char *at = pattern; r == 0 && *at;) {
		if (*at == '*') {
			take_star(&glob, &at, folders);
		} else if (*at == '[') {
			at++;
			r = take_set(&glob, &at, pattern, e);
		} else if (*at == '?') {
			add(&glob, KIND_ONE, 0);
			add(&glob, KIND_REST, 0);
			at++;
		} else {
			int c = take_byte(&at);
			if (c < 0)
				return bad(pattern, e);
			add(&glob, KIND_BYTE, (char)c);
		}
	}
	if (r < 0)
		return r;
	*ret = glob;
	glob = (struct build_glob){ 0 };
	return 0;
}

/* ---- matching: the set of tokens that may come next ---- */

static void skip_empty(const struct build_glob *glob, bool *set)
{
	for (size_t i = 0; i < glob->count; i++) {
		int kind = glob->tokens[i].kind;
		if (set[i] && (kind == KIND_MANY || kind == KIND_ALL || kind == KIND_REST))
			set[i + 1] = true;
	}
}

static bool is_rest(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* What comes next after token i has taken c: it again, the one behind it, both or none. */
static bool take(const struct build_glob_token *token, unsigned char c, bool *again, bool *behind)
{
	bool slash = c == '/';

	*again = *behind = false;
	switch (token->kind) {
	case KIND_BYTE:
		*behind = c == token->byte;
		break;
	case KIND_ONE:
		*behind = !slash && !is_rest(c);
		break;
	case KIND_REST:
		*again = is_rest(c);
		break;
	case KIND_SET:
		*behind = token->set[c / 8] & (1u << (c % 8));
		break;
	case KIND_MANY:
		*again = !slash;
		break;
	case KIND_ALL:
		*again = true;
		break;
	default: /* within folders: a slash may end them */
		*again = true;
		*behind = slash;
		break;
	}
	return *again || *behind;
}

/* Folders that are none are skipped where they begin, not once they have begun: that is the one
 * token with two states, "begin" in start and "within" in set. */
static void begin_folders(const struct build_glob *glob, bool *set, const bool *fresh)
{
	for (size_t i = 0; i < glob->count; i++)
		if (fresh[i] && glob->tokens[i].kind == KIND_FOLDERS) {
			set[i + 1] = true;
			skip_empty(glob, set);
		}
}

static bool run(const struct build_glob *glob, const char *path, bool *now, bool *next, bool *fresh)
{
	size_t size = glob->count + 1;

	memset(now, 0, size);
	now[0] = true;
	skip_empty(glob, now);
	begin_folders(glob, now, now);
	for (; *path; path++) {
		bool alive = false;
		memset(next, 0, size);
		memset(fresh, 0, size);
		for (size_t i = 0; i < glob->count; i++) {
			bool again, behind;
			if (!now[i] ||
			    !take(&glob->tokens[i], (unsigned char)*path, &again, &behind))
				continue;
			next[i] |= again;
			next[i + 1] |= behind;
			fresh[i + 1] |= behind;
			alive = true;
		}
		if (!alive)
			return false;
		skip_empty(glob, next);
		begin_folders(glob, next, fresh);
		bool *swap = now;
		now = next;
		next = swap;
	}
	return now[glob->count];
}

bool build_glob_match(const struct build_glob *glob, const char *path)
{
	if (glob->literal)
		return strcmp(glob->literal, path) == 0;
	size_t size = glob->count + 1;
	own_free bool *sets = mem_new(3 * size, sizeof(bool));
	return run(glob, path, sets, sets + size, sets + 2 * size);
}
