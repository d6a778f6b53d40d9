/* namespace.h - the namespaces of another container, for --net, --pid, --ipc container:NAME. */
#pragma once
#include "engine/container.h"

struct engine;
struct err;
struct spec_context;

/* Fills the context's namespace paths, shm, and files (those of the other container, whose network
 * is shared). run_fd is the folder of c in $run. ERR_STATE: the other container does not run, or
 * does not share. */
int engine_namespace_resolve(struct engine *engine, const struct container *c, int run_fd,
			     struct spec_context *context, struct err *e);
