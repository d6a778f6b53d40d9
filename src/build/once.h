/* once.h - steps that are the same in two stages of a build are done once: who comes second waits
 * for the first one and has its layer. The stages' processes share a file in memory: a record for
 * each step that is done, and a lock on one byte of it for each key whose step is being done, which
 * ends with its process. */
#pragma once
#include <stdbool.h>

#include "build/state.h"

struct err;

struct build_once {
	int fd; /* -1: none */
};

int build_once_open(struct build_once *ret, struct err *e);
void build_once_close(struct build_once *once);

/* In a process of its own: locks are from now on held against the others. */
int build_once_part(struct build_once *once, struct err *e);

/* Waits until nobody else does the step of this key, and has it from then on. True: somebody did
 * it before; name, size and entries are filled into *ret. */
bool build_once_claim(const struct build_once *once, const char *key, struct build_layer *ret);

/* It is done: layer has its key. */
int build_once_tell(const struct build_once *once, const struct build_layer *layer, struct err *e);

/* Gives up what was claimed, whether it was told or not. */
void build_once_release(const struct build_once *once);
