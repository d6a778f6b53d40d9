/* str.h - a growing buffer of bytes, always closed by a NUL that length does not count. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *text; /* NULL while empty */
	size_t length;
	size_t capacity;
};

void str_clear(struct str *s); /* frees; s is empty again */
void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const void *bytes, size_t length);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for extra more bytes and returns the place they go to; the caller then raises
 * length itself. */
char *str_room(struct str *s, size_t extra);

/* Hands the text on ("" if empty) and empties s. The caller frees it. */
char *str_take(struct str *s);

bool str_equal(const char *a, const char *b); /* both may be NULL */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/* Docker's rule for names of things: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most length_max bytes. */
bool str_is_name(const char *text, size_t length_max);

/* Is text NULL or ""? */
static inline bool str_empty(const char *text)
{
	return !text || !*text;
}
