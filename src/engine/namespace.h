/* namespace.h - the namespaces of another container, for --net, --pid, --ipc container:NAME. */
#pragma once
#include "engine/container.h"

struct engine;
struct err;
struct spec_context;

/* Fills the context's namespace paths, shm, and files (those of the other container, whose network
 * is shared). ERR_STATE: the other container does not run, or does not share. */
int engine_namespace_resolve(struct engine *engine, const struct container *c,
			     struct spec_context *context, struct err *e);
