/* record.h - the folder of a container and its name: taken, written, found, locked, deleted. What a
 * killed command left is cleared by whoever meets it (ARCHITECTURE.md, "On disk"). */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct engine;
struct err;

/* The folder containers/ID, locked by flock(2) against every other change; closing it unlocks. */

/* Makes the folder of c->id, locked and still invisible: without config.json. Returns its
 * descriptor, the caller's. */
int record_begin(struct engine *engine, const char *id, struct err *e);

/* Takes c->name, or where that is NULL a generated one, which is then put there. ERR_EXISTS. */
int record_take_name(struct engine *engine, struct container *c, struct err *e);

/* One more name for a container that has been written: it counts once the record says so, too.
 * ERR_EXISTS. */
int record_add_name(struct engine *engine, const char *id, const char *name, struct err *e);

/* Frees all its names but this one: those that it had, and what killed renames had taken. */
void record_free_other_names(struct engine *engine, const char *id, const char *name);

/* Frees the name, if it is this container's. */
void record_free_name(struct engine *engine, const char *id, const char *name);

/* A name that leads to this container, for one whose record cannot be read; NULL: none. The
 * caller's. */
char *record_find_name(struct engine *engine, const char *id);

/* Does the container that the name leads to bear it? One that does not was left by a killed rename
 * and is taken away, unless a rename is just at work. */
bool record_has_name(struct engine *engine, const char *id, const char *name);

/* Writes config.json: from here on the container exists. */
int record_commit(int folder_fd, const struct container *c, struct err *e);

/* Takes all of it back; cannot fail, since what stays is debris that is cleared later. */
void record_abandon(struct engine *engine, const struct container *c);

/* Locks an existing container and returns its folder's descriptor. ERR_NOT_FOUND. With wait
 * false, ERR_STATE when somebody else holds the lock. */
int record_lock(struct engine *engine, const char *id, bool wait, struct err *e);

/* Says so. */
int record_not_found(const char *id, struct err *e);

/* Opens the folder without lock; ERR_NOT_FOUND. */
int record_open(struct engine *engine, const char *id, struct err *e);

/* Reads config.json of this full id. ERR_NOT_FOUND. The caller clears. */
int record_read(struct engine *engine, const char *id, struct container *ret, struct err *e);

/* Renames the (locked) folder away, frees the name, deletes all, with the anonymous volumes of
 * volumes_of (NULL: they stay): its record. Killed in between, the rest is done by who finds it. */
int record_delete(struct engine *engine, const char *id, const char *name,
		  const struct container *volumes_of, struct err *e);

/* Clears a folder without config.json, if nobody holds its lock. */
void record_clear_debris(struct engine *engine, const char *id);

/* The same for an entry .dead-ID, whose deleter was killed. */
void record_clear_dead(struct engine *engine, const char *entry);
