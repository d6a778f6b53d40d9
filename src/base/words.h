/* words.h - a line as words, as people write commands and systemd its lists: blanks divide; '...'
 * and "..." hold a word together, and a backslash takes the next character as it is (not within
 * '...'). Nothing is expanded, nothing is run. */
#pragma once

struct err;
struct strv;

/* Adds the words to *to. ERR_INVALID: a quote or backslash is not closed. */
int words_split(struct strv *to, const char *text, struct err *e);

/* The same up to a word that is divider alone, as it is, not in quotes: *text is then behind that,
 * else at the end. */
int words_split_until(struct strv *to, const char **text, char divider, struct err *e);

/* Words as one line that words_split() takes apart again; a ";" alone is in quotes. The caller
 * frees it. */
char *words_join(const struct strv *words);
