/* platforms.h - --platform with several: the index of the images that the build has made. */
#pragma once

#include "image/progress.h"

struct build;
struct err;
struct strv;

/* Under all names of --tag. *ret_id is its digest; without a name there is no index, and it is the
 * id of this machine's image or else of the first. Of one platform: the id of its image. */
int build_platforms_index(const struct build *build, const struct strv *ids,
			  char ret_id[IMAGE_DIGEST_SIZE], struct err *e);
