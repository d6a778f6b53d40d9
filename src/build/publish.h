/* publish.h - the folders that steps wrote become layers of the store, by holm-image, which hashes
 * and packs them; and with the target's config an image. */
#pragma once

#include "image/progress.h"

struct build;
struct build_target;
struct err;
struct strv;

/* Adds the full names that --tag gives, and of several platforms --output; also called to refuse
 * wrong ones before the first step. */
int build_publish_names(struct strv *ret, const struct build *build, struct err *e);

/* And the target's image; NULL: what is done stays for the next build. *ret_id may be NULL then. */
int build_publish(struct build *build, const struct build_target *target,
		  char ret_id[IMAGE_DIGEST_SIZE], struct err *e);
