/* expand.h - the names that a pattern of COPY means. */
#pragma once

struct build_ignore;
struct err;
struct strv;

/* Adds the paths below root_fd, without a slash in front, in the order of their names; what is
 * ignored matches nothing. A word without a pattern is itself. ERR_NOT_FOUND: nothing matches. */
int build_expand(struct strv *to, int root_fd, const struct build_ignore *ignore, const char *word,
		 struct err *e);
