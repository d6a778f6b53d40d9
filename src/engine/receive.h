/* receive.h - a container out of a stream that `holm backup` or `holm copy` wrote (transfer.h). Who
 * sent it says how it is run: it is to be trusted as a command line is. Nothing of it can reach
 * beyond the store before it is started. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct engine;
struct err;

struct receive_options {
	char *name;   /* NULL: as in the stream */
	bool refresh; /* one of this name that is a copy of the same gets what is new */
	bool answer;  /* say on standard output what is wanted, and the end: for engine_send() */
};

/* Reads it from fd. *ret is the caller's. On failure nothing is there but layers, which are
 * collected. */
int engine_receive(struct engine *engine, int fd, const struct receive_options *o,
		   struct container *ret, struct err *e);
