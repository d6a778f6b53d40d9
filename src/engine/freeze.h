/* freeze.h - what a container wrote becomes a layer (decision 0035). The caller holds its lock, and
 * store_lock_layers_shared() until a record or a snapshot that names the layer is on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "storage/frozen.h"

struct container;
struct container_state;
struct engine;
struct err;

/* Does a program of it run, or will one at any time? ERR_STATE while it is restarting. */
int engine_freeze_is_live(const struct container *c, const struct container_state *state,
			  struct err *e);

/* Of one that does not run: the folder itself, in one step, whatever is in it; *c, and its record,
 * say so. Nothing where it wrote nothing. At every moment the files of the container are what they
 * were. */
int engine_freeze_still(struct engine *engine, struct container *c, int folder_fd, struct err *e);

/* Of one that runs: a copy of what it wrote, taken while it stands still. *c alone names the layer,
 * the record does not. *ret_paused_ns: how long it stood still. */
int engine_freeze_live(struct engine *engine, struct container *c,
		       const struct container_state *state, int64_t *ret_paused_ns, struct err *e);

/* The same in steps, for who holds it still by other means: begin copies most of it while it runs,
 * and *c names the layer, ret_layer; finish, while it stands still, the rest. */
struct freeze_capture;
int engine_freeze_begin(struct freeze_capture **ret, char ret_layer[FROZEN_NAME_SIZE],
			struct engine *engine, struct container *c, struct err *e);
int engine_freeze_finish(struct freeze_capture *capture, struct err *e);
void engine_freeze_end(struct freeze_capture *capture); /* NULL: nothing; the layer stays */

/* Makes upper/ and work/ in the container's folder. The upper one is the root of the container:
 * owner, mode and attributes are those that this has by the topmost of the frozen layers; where
 * there are none, it is the container's root's. Returns it, readable, the caller's. */
int engine_freeze_make_folders(struct engine *engine, const struct container *c, int folder_fd,
			       struct err *e);

/* A new upper folder like that in the place of the empty one, of which nothing stays: for a record
 * that has other frozen layers than the one before it. */
int engine_freeze_renew_upper(struct engine *engine, const struct container *c, int folder_fd,
			      struct err *e);

/* Makes one layer of those that were frozen, *c alone says so. copied: of its own bytes; else its
 * files are links to those of the others. */
int engine_freeze_flatten(struct engine *engine, struct container *c, bool copied, struct err *e);

/* What c wrote as one folder, in a layer that nothing names: its frozen layers and upper_fd, with
 * the ids that c has. storage_frozen_remove() when it is done with. */
int engine_freeze_merge(char ret_layer[FROZEN_NAME_SIZE], struct engine *engine,
			const struct container *c, int upper_fd, struct err *e);
