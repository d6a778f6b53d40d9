/* secret.h - a container's secrets: taken when it is created, so that `secret rm` and --replace
 * change nothing for it; made into files of its run folder when it is started. */
#pragma once
#include "engine/container.h"

struct engine;
struct err;

/* Finds those that c names, by name or id; ERR_NOT_FOUND. */
int engine_secret_resolve(struct engine *engine, struct container *c, struct err *e);

/* Hard links to their bytes: secrets/ID in the container's own folder. */
int engine_secret_take(struct engine *engine, const struct container *c, int folder_fd,
		       struct err *e);

/* Those that are files, for spec_mounts(): secrets/below/... what is to be in /run/secrets,
 * secrets/N the N-th one that goes elsewhere. With the container's ids and modes. */
int engine_secret_write(const struct container *c, int folder_fd, int run_fd, struct err *e);
