/* require.h - run --requires: containers that must run before this one is started, and that cannot
 * be removed as long as it is there. A required container knows by whom: its folder has an empty
 * file needed/ID, made before the other one's record is. One whose ID is gone means nothing. */
#pragma once
struct container;
struct engine;
struct err;

/* The names in c->requires become ids. */
int engine_require_resolve(struct engine *engine, struct container *c, struct err *e);

/* Makes the files. ERR_NOT_FOUND: one of the required was removed meanwhile. */
int engine_require_mark(struct engine *engine, const struct container *c, struct err *e);

/* Starts those that do not run. */
int engine_require_start(struct engine *engine, const struct container *c, struct err *e);

/* ERR_STATE if another container needs the one whose folder this is: for good while the caller
 * holds its lock. */
int engine_require_check(struct engine *engine, const char *name, int folder_fd, struct err *e);
