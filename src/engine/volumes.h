/* volumes.h - the verbs on volumes, for whoever faces the person. (What a container's mounts need
 * is engine/volume.h's.) */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct engine;
struct err;
struct json_object;
struct prune_filter;

/* Makes a volume; name NULL or "": 64 random hex digits. One that is there is left as it is: 1.
 * driver: "local", or "tmpfs", which is local with the option type=tmpfs. labels and options:
 * "KEY=VALUE" (see volume_mount.h). *ret_name is the caller's. */
int engine_volumes_create(struct engine *engine, const char *name, const char *driver,
			  const struct strv *labels, const struct strv *options, char **ret_name,
			  struct err *e);

/* An array of Docker's volume objects, by name; with use each has a member "Used": does a
 * container name it? The caller's (json_object_put). */
int engine_volumes_list(struct engine *engine, bool use, struct json_object **ret, struct err *e);

/* One such object; ERR_NOT_FOUND. */
int engine_volumes_inspect(struct engine *engine, const char *name, struct json_object **ret,
			   struct err *e);

/* ERR_STATE while a container names it; with force a volume that does not exist is no error. */
int engine_volumes_remove(struct engine *engine, const char *name, bool force, struct err *e);

/* Removes those no container names: the anonymous ones, or with all also those with a name; of
 * these what the filter fits. *done gets their names, *ret_bytes what the disk got back. */
int engine_volumes_prune(struct engine *engine, bool all, const struct prune_filter *filter,
			 struct strv *done, uint64_t *ret_bytes, struct err *e);
