/* create.h - what run shares with create. */
#pragma once
#include <stdbool.h>

struct container;
struct create_options;
struct engine;
struct err;

/* engine_create(), which returns the container's folder, locked; by_run is written into the
 * record. */
int engine_create_locked(struct engine *engine, const struct create_options *o, bool by_run,
			 struct container *ret, struct err *e);
