/* search.h - what there is on registries: by words, where a registry can (Docker's /v1/search),
 * else by the names of its repositories (/v2/_catalog); and the tags of one repository. */
#pragma once
#include "base/shape.h"

struct err;
struct image_invocation;

struct image_search_result {
	char *name; /* "library/busybox"; of a tag the repository's */
	char *description;
	char *tag;
	int64_t star_count;
	bool is_official;
	bool is_automated;
};

struct image_search_results {
	SHAPE_LIST_OF(struct image_search_result) results;
};
extern const struct shape image_search_shape;

/* An answer of any of the three kinds; of names those that have term (NULL: all) in them. Appends.
 * ERR_CORRUPT. */
int image_search_parse(struct image_search_results *to, const char *text, size_t length,
		       const char *term, struct err *e);
void image_search_clear(struct image_search_results *all);

/* Verb "search": a word or REGISTRY/WORD; with --tags a repository. The second operand is how many
 * are wanted. Prints image_search_shape's JSON. */
int image_search_verb(const struct image_invocation *invocation, struct err *e);
