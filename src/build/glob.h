/* glob.h - patterns for names of files, as Go's filepath.Match has them: * and ? (not the slash),
 * [a-z], [^a-z], a backslash before what is itself; in ignore files ** for any folders, too. A
 * match costs at most the product of both lengths. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

enum { BUILD_GLOB_MAX = 4096 }; /* bytes of a pattern: longer than any path */

struct build_glob {
	char *literal; /* there is nothing special in it: this is all that it matches */
	struct build_glob_token {
		int kind;
		unsigned char byte;
		unsigned char set[32]; /* of a class: a bit for each byte */
	} * tokens;
	size_t count;
};

/* The caller clears. folders: ** is known. ERR_INVALID. */
int build_glob_compile(struct build_glob *ret, const char *pattern, bool folders, struct err *e);
void build_glob_clear(struct build_glob *glob);

/* The whole path. */
bool build_glob_match(const struct build_glob *glob, const char *path);

/* Is there anything special in it? */
bool build_glob_is(const char *pattern);
