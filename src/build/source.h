/* source.h - where COPY --from and RUN --mount=from take files: the context, a stage, an image, a
 * context that has a name. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct build_ignore;
struct build_options;
struct build_step;
struct err;

struct build_source {
	int fd;                            /* its root */
	const struct build_ignore *ignore; /* of the context; NULL: nothing is left out */
	bool owners;                       /* its files' owners count */
	bool stays;                        /* a folder of the person's: read again next time */
	struct strv layers; /* that it is made of, lowest first; none: not of layers */
};
#define BUILD_SOURCE_NONE                                                                          \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* from NULL: the context. The caller closes. */
int build_source_open(struct build_source *ret, const struct build_step *step, const char *from,
		      struct err *e);
/* What FROM and COPY --from mean by the name of an image: a named context may say another. */
const char *build_source_image(const struct build_options *o, const char *name);
/* Is it a context that is a folder? */
bool build_source_is_folder(const struct build_options *o, const char *name);
void build_source_close(struct build_source *source);
