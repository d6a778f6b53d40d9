/* expand.h - the names that a pattern of COPY means. */
#pragma once

struct build_ignore;
struct err;
struct strv;

/* Adds the paths below root_fd, without a slash in front, in the order of their names; what is
 * ignored matches nothing. A word without a pattern is itself. That nothing matches is no error:
 * "yarn.lock*" is how a file is named that may be missing, in BuildKit as well. */
int build_expand(struct strv *to, int root_fd, const struct build_ignore *ignore, const char *word,
		 struct err *e);
