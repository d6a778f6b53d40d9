/* checkpoint.h - the processes of a running container, with their memory, in files (criu(8)), and a
 * start that goes on from there. A checkpoint is a folder of criu's images, containers/ID/
 * checkpoints/NAME, or NAME below a folder that a person gave. What the container wrote is in none:
 * its files are those that it has then. docs/decisions/0057-live.md. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct container;
struct container_state;
struct engine;
struct err;
struct start_options;

struct checkpoint_options {
	char *folder; /* NULL: the container's own */
	bool leave_running;
};

/* Without leave_running it has ended afterwards, as if stopped, and not before its checkpoint is
 * on disk. On failure it runs on as before. ERR_UNSUPPORTED for what criu cannot do, or not here;
 * ERR_EXISTS. */
int engine_checkpoint_create(struct engine *engine, const char *container, const char *name,
			     const struct checkpoint_options *o, struct err *e);

/* Their names, in order. */
int engine_checkpoint_list(struct engine *engine, const char *container, const char *folder,
			   struct strv *ret, struct err *e);

/* ERR_NOT_FOUND. */
int engine_checkpoint_remove(struct engine *engine, const char *container, const char *name,
			     const char *folder, struct err *e);

/* The folder of the one that these options name, of the container with this id; the caller frees.
 * *ret is NULL if they name none. ERR_NOT_FOUND. */
int engine_checkpoint_find(char **ret, struct engine *engine, const char *id,
			   const struct start_options *o, struct err *e);

/* A place for one without a name, in the container's own folder; what was killed there is removed.
 * *ret is the caller's. */
int engine_checkpoint_prepare(char **ret, struct engine *engine, const char *id, const char *name,
			      struct err *e);
/* Gives it that name; *images, its place, becomes what it is then. It is not synced. */
int engine_checkpoint_keep(char **images, struct engine *engine, const char *id, const char *name,
			   struct err *e);

/* Fails as engine_checkpoint_store() will before it does anything. */
int engine_checkpoint_can(struct engine *engine, const struct container *c,
			  const struct container_state *state, struct err *e);

/* Stores a running container, whose lock the caller holds, in the folder images, which is made.
 * stored is called while it stands still: its failure lets it go on, and so does the end of the
 * caller. */
struct checkpoint_stored {
	int (*function)(void *context, struct err *e);
	void *context;
};
int engine_checkpoint_store(struct engine *engine, const struct container *c,
			    const struct container_state *state, const char *images,
			    bool leave_running, const struct checkpoint_stored *stored,
			    struct err *e);
