/* held.h - a container that somebody changes together with its layers: its record, its lock, and
 * the layers' lock, so that what is made of it is not collected before a record names it. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"
#include "engine/state.h"

struct engine;
struct err;

struct engine_held {
	struct container container;
	struct container_state state;
	int layers; /* store_lock_layers_shared(); taken before the other */
	int folder; /* the container's, locked */
};
#define ENGINE_HELD_NONE                                                                           \
	{                                                                                          \
		.layers = -1, .folder = -1                                                         \
	}

/* The caller ends *to with engine_held_clear(), after a failure, too. ERR_NOT_FOUND. */
int engine_held_take(struct engine_held *to, struct engine *engine, const char *name,
		     struct err *e);
void engine_held_clear(struct engine_held *held);

/* ERR_STATE for one that runs. how: the command that stops it and starts it again, for the hint. */
int engine_held_check_still(const struct engine_held *held, const char *name, const char *how,
			    struct err *e);

/* Before it is held: stops one that runs, *ret says whether it did. ERR_STATE for one that would
 * be gone then. */
int engine_held_stop(bool *ret, struct engine *engine, const char *name, const char *how,
		     struct err *e);
/* After it was. */
int engine_held_start_again(struct engine *engine, const char *name, struct err *e);
