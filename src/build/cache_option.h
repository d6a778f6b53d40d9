/* cache_option.h - what --cache-from and --cache-to say: "type=registry,ref=NAME",
 * "type=local,src=FOLDER" (dest= of --cache-to), "type=inline", "mode=min|max", "ignore-
 * error=true"; a name alone is a registry's. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct build_options;
struct err;

enum build_cache_type { BUILD_CACHE_REGISTRY, BUILD_CACHE_LOCAL, BUILD_CACHE_INLINE };

struct build_cache_option {
	enum build_cache_type type;
	const char *place; /* the name, or the folder; NULL of inline */
	bool target_only;  /* mode=min: the layers of the image and no other stage's */
	bool ignore_error;
	struct strv pairs;
};

/* The caller clears *ret, after a failure, too. */
int build_cache_option_from(struct build_cache_option *ret, const char *text, struct err *e);
int build_cache_option_to(struct build_cache_option *ret, const char *text, struct err *e);
void build_cache_option_clear(struct build_cache_option *option);

/* Are all of them written so? Before the first step. */
int build_cache_option_check(const struct build_options *o, struct err *e);

/* Is one of --cache-to inline? */
bool build_cache_option_inline(const struct build_options *o);
