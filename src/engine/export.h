/* export.h - the whole root of a container as a tar. */
#pragma once

struct engine;
struct err;

/* To standard output: its files without what is mounted in it (volumes, proc...), owners as its own
 * ids. A running container goes on meanwhile. */
int engine_export(struct engine *engine, const char *name, struct err *e);
