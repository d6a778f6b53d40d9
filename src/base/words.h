/* words.h - a line as words, as people write commands and systemd its lists: blanks divide; '...'
 * and "..." hold a word together, and a backslash takes the next character as it is (not within
 * '...'). Nothing is expanded, nothing is run. */
#pragma once

struct err;
struct strv;

/* Adds the words to *to. ERR_INVALID: a quote or backslash is not closed. */
int words_split(struct strv *to, const char *text, struct err *e);

/* Words as one line that words_split() takes apart again. The caller frees it. */
char *words_join(const struct strv *words);
