/* word.h - the words of a Dockerfile: quotes, escapes and variables, as BuildKit's shell lexer
 * takes them (docs.docker.com/reference/dockerfile, "Environment replacement"): $x, ${x}, ${x:-y},
 * ${x-y}, ${x:+y}, ${x+y}, ${x:?y}, ${x?y},
 * ${x#p}, ${x##p}, ${x%p}, ${x%%p}, ${x/p/r}, ${x//p/r}. Patterns
 * know *, ? and the backslash. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;
struct strv;

enum {
	BUILD_WORD_MAX = 1 << 20,      /* bytes that a word may become */
	BUILD_WORDS_MAX = 64 << 20,    /* and all words of a build, with the variables in them */
	BUILD_WORD_DEPTH_MAX = 32,     /* ${a:-${b:-...}} */
	BUILD_WORD_STEPS_MAX = 1 << 26 /* of one search for a pattern */
};

struct build_word_scope {
	const char *(*get)(const void *context, const char *name); /* NULL: it is not set */
	const void *context;
	char escape;  /* '\\' or '`' */
	size_t *left; /* bytes that all words may still become together; NULL: no bound */
};

static inline bool build_word_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* text as one word, blanks and all. The caller frees *ret. ERR_INVALID. */
int build_word_expand(char **ret, const char *text, const struct build_word_scope *scope,
		      struct err *e);

/* A here-document: variables and escapes count, quotes are what they are. */
int build_word_expand_text(char **ret, const char *text, const struct build_word_scope *scope,
			   struct err *e);

/* text as words: blanks divide them, also those of variables that stand outside of quotes. Adds to
 * *ret. ERR_INVALID. */
int build_word_split(struct strv *ret, const char *text, const struct build_word_scope *scope,
		     struct err *e);

/* The length of the word at the beginning of text, quotes and escapes as they stand. */
size_t build_word_length(const char *text, char escape);
