/* fsck.h - finds damage of the store, and mends it. Each finding is one sentence. Mending never
 * throws away what a person wrote: volumes keep their files, a container whose record cannot be
 * read is moved aside with all it has. What cannot work any more is removed, and that is said. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct engine;
struct err;
struct store;

enum engine_fsck_outcome {
	ENGINE_FSCK_FOUND,  /* only looked */
	ENGINE_FSCK_MENDED, /* or taken away, as the text says */
	ENGINE_FSCK_LEFT,   /* the text says why */
};

typedef void engine_fsck_report(void *arg, const char *text, enum engine_fsck_outcome outcome);

/* Whoever meets a damaged record says so. */
#define ENGINE_FSCK_HINT "holm system check --repair mends it or moves it out of the way"

struct engine_fsck {
	bool repair;
	bool quick; /* looks at sizes and records; does not read layers and their blobs */
	engine_fsck_report *report;
	void *arg;
};

/* One at a time works on a store, the others wait. Fails only where it could not go on; damage is
 * what it reports. */
int engine_fsck(struct engine *engine, const struct engine_fsck *check, struct err *e);

/* Before the engine can be opened: the folders that a store has. */
int engine_fsck_folders(const struct store *store, const struct engine_fsck *check, struct err *e);
