/* pattern.h - the patterns in ${x#p} and its kin: *, ? (one character of UTF-8), a backslash before
 * what is itself. All matches of one beginning are found in one pass, so that no pattern costs more
 * than its length times that of the text. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

enum build_pattern_trim {
	BUILD_PATTERN_PREFIX = 1,
	BUILD_PATTERN_SUFFIX = 2,
	BUILD_PATTERN_LONGEST = 4,
};

/* Adds text to *to, without what the pattern matches of its beginning or of its end. steps_max
 * bounds the work: ERR_INVALID. */
int build_pattern_trim(struct str *to, const char *text, const char *pattern, unsigned how,
		       int64_t steps_max, struct err *e);

/* Adds text to *to with the first match (all: every one) replaced. */
int build_pattern_replace(struct str *to, const char *text, const char *pattern, const char *by,
			  int all, int64_t steps_max, struct err *e);
