/* child.h - what a build does in a process of its own, because it waits for the network: ctrl-C
 * ends it, and finds a build that can put its folders away. */
#pragma once
#include "image/progress.h"

struct build;
struct err;

/* Fills the answer, as it likes. */
typedef int build_child_work(const struct build *build, const void *context,
			     char answer[IMAGE_DIGEST_SIZE], struct err *e);

/* Its result, its error and its answer (which may be NULL) are the caller's; the error of a ctrl-C
 * is "interrupted". what, for the case that it dies: "the pull". */
int build_child_run(const struct build *build, const char *what, build_child_work *work,
		    const void *context, char answer[IMAGE_DIGEST_SIZE], struct err *e);
