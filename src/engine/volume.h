/* volume.h - the mounts of a container that need something to exist first. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct engine;
struct err;

/* Before the record is written: takes over the mounts of --volumes-from, resolves the images of
 * image mounts, names the anonymous volumes, and checks the sources of binds. */
int engine_volume_resolve(struct engine *engine, struct container *c, bool quiet, struct err *e);

/* Is the source of a bind there, or made by its start? */
int engine_volume_check_source(const struct container_mount *mount, struct err *e);

/* After it, and again at each start: makes what is missing, the volumes and the folders of -v. */
int engine_volume_make(struct engine *engine, const struct container *c, struct err *e);

bool engine_volume_has_anonymous(const struct container *c);

/* Removes the container's anonymous volumes that no other container names. */
void engine_volume_remove_anonymous(struct engine *engine, const struct container *c);

/* Does a container other than this one (NULL: any) name the volume? */
bool engine_volume_is_used(struct engine *engine, const char *volume, const char *except_id);
