/* start.h - what run shares with start. */
#pragma once
#include "engine/engine.h"

/* Starts a container that does not run. folder_fd is its folder, locked by the caller. A --rm
 * container that cannot be started is removed. */
int engine_start_locked(struct engine *engine, const struct container *c, int folder_fd,
			const struct start_options *o, struct engine_session *ret, struct err *e);
