/* filter.h - the --filter of ps, in Docker's words. Values of one key are alternatives (labels:
 * all of them must fit), different keys must all fit. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "engine/engine.h"

struct err;

struct filter {
	struct engine *engine;
	const struct strv *texts; /* "key=value", borrowed */
	int64_t before_ns;        /* created before this; 0: not asked */
	int64_t since_ns;
	struct strv ancestor; /* layers of the image of ancestor=, lowest first */
	bool all; /* a filter by status or exit code looks at those that do not run, too */
};

/* ERR_INVALID for an unknown key or value; ERR_NOT_FOUND for before= and since= a container that
 * is not there. The caller clears. */
int filter_make(struct filter *to, struct engine *engine, const struct strv *texts, struct err *e);
void filter_clear(struct filter *filter);

bool filter_matches(const struct filter *filter, const struct engine_row *row);
