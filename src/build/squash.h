/* squash.h - --squash: what steps wrote becomes one layer, whose files are hard links to theirs.
 * The steps stay in the cache, and in what IMAGE@STEP starts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct build;
struct build_state;
struct err;

bool build_squash_is_wanted(const struct build *build);

/* *ret, zeroed, becomes the target, this stage, with fewer layers; the caller clears. The layers of
 * all steps have their names. */
int build_squash(struct build *build, size_t stage, struct build_state *ret, struct err *e);
