/* rebuild.h - a container begins again: its root is that of its image, as if it was just made. */
#pragma once
#include <stdbool.h>

struct engine;
struct err;

struct rebuild_options {
	char *image;   /* of this one from now on; NULL: of the one that it has.
			* Pulled where it is missing */
	bool quiet;    /* no progress of a pull */
	bool snapshot; /* one of before is taken first */
	bool restart;  /* a running one is stopped before, and started again */
};

/* Name, identity, configuration, networks, volumes and snapshots stay; what was written to the root
 * is gone. *ret_snapshot: the name of the one that was taken, the caller's, or NULL. ERR_STATE for
 * one that runs. */
int engine_rebuild(struct engine *engine, const char *container, const struct rebuild_options *o,
		   char **ret_snapshot, struct err *e);
