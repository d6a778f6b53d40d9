/* launch.h - a container that boots a whole system, from its making until it is ready. */
#pragma once
#include "base/str.h"

struct container;
struct create_options;
struct engine;
struct err;

/* engine_run() of a system in the background, and the wait until its init says READY=1 (or,
 * where it does not tell, asks to log in). On success *ret is the caller's (container_clear).
 * ERR_STATE: it ended before that; *console has the end of what it wrote to its console, also
 * on other failures, and is the caller's (str_clear). */
int system_launch(struct engine *engine, const struct create_options *o, struct container *ret,
		  struct str *console, struct err *e);
