/* heredoc.h - the words <<NAME of RUN, COPY and ADD. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct build_heredoc;

/* Is this word (length bytes, quotes and all) the beginning of a here-document? Then *ret has its
 * name and how it is to be read, and is the caller's. */
bool build_heredoc_begins(struct build_heredoc *ret, const char *word, size_t length, char escape);

/* The length of the word at the beginning of a RUN's text: blanks may divide the name from its
 * "<<". */
size_t build_heredoc_length(const char *text, char escape);
