/* import.h - --cache-from: layers that another holm's cache has for the steps of this build. Such a
 * cache is an image (image/cache.h); which step made a layer is its word, and counts for this build
 * alone (decision 0040). */
#pragma once
#include "base/shape.h"

struct build;
struct build_import;
struct build_step;
struct err;

/* Looks at each; of one that cannot be had a note is all. Before the first stage. */
int build_import_open(struct build *build, struct err *e);
void build_import_close(struct build *build);

/* Brings the layer of the step. Its hex, the caller's; NULL: there is none. */
char *build_import_find(struct build_step *step);
