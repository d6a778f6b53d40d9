/* create.h - what run shares with create. */
#pragma once
#include <stdbool.h>

struct container;
struct create_options;
struct engine;
struct err;

/* Are the options right by themselves? Before there is an image, or a container at all. Reads what
 * engine_config_make() reads. */
int engine_create_check(const struct create_options *o, struct err *e);

/* engine_create(), which returns the container's folder, locked; by_run is written into the
 * record. */
int engine_create_locked(struct engine *engine, const struct create_options *o, bool by_run,
			 struct container *ret, struct err *e);
