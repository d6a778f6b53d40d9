/* platforms.h - --platform with several: one build for each, and an index of what they made. */
#pragma once
#include <stdbool.h>

#include "image/progress.h"

struct build_options;
struct engine;
struct err;

bool build_platforms_are_several(const struct build_options *o);

/* As build_image(); *ret_id is the digest of the index. */
int build_platforms(struct engine *engine, const struct build_options *o, const char *context,
		    char ret_id[IMAGE_DIGEST_SIZE], struct err *e);
