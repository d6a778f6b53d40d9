/* ignore.h - .dockerignore and .containerignore: which names of a context are not in it. The last
 * pattern that matches a path, or a folder above it, decides; "!" brings back what one before took
 * (docs.docker.com/build/concepts/context, ".dockerignore files"). Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/shape.h"
#include "base/str.h"
#include "build/glob.h"

struct err;

enum { BUILD_IGNORE_BYTES_MAX = 1 << 20, BUILD_IGNORE_PATTERNS_MAX = 4096 };

struct build_ignore {
	SHAPE_LIST_OF(struct build_ignore_pattern {
		struct build_glob glob;
		bool negated;
	})
	patterns;
	struct str text; /* all of them, each with a newline: tells one such file from another */
	bool negations;  /* there is a "!": what is below an ignored folder may be in the context */
};

/* Adds the patterns of length bytes; name is for errors. The caller clears. */
int build_ignore_parse(struct build_ignore *ret, const char *name, const char *text, size_t length,
		       struct err *e);

/* Adds one pattern. */
int build_ignore_add(struct build_ignore *to, const char *pattern, struct err *e);
void build_ignore_clear(struct build_ignore *ignore);

/* Is path ignored? matched has a place for each pattern, and tells the same of the folder that path
 * is in before, of path after: one walk needs no more than a copy for each folder. */
bool build_ignore_match(const struct build_ignore *ignore, const char *path, bool *matched);

/* The same of a path that no walk came to: of the folders above it, then of itself. */
bool build_ignore_match_below(const struct build_ignore *ignore, const char *path, bool *matched);
