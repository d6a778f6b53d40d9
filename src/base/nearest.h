/* nearest.h - "did you mean": the word of a list that was most probably meant. */
#pragma once
#include <stddef.h>

enum { NEAREST_LENGTH_MAX = 40 };

/* How many letters must be changed, added, dropped or swapped with their neighbour; words longer
 * than NEAREST_LENGTH_MAX are far from everything. */
size_t nearest_distance(const char *a, const char *b);

/* Keeps in *best the nearer of *best and candidate, if that is near enough to word to be a
 * slip of the finger. *best starts as NULL. */
void nearest_offer(const char **best, const char *word, const char *candidate);
