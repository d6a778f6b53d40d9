/* gc.h - garbage collection for people: what nothing names goes; and with a budget also images that
 * no container uses, those first whose last use is longest ago, until the rest fits. */
#pragma once
#include <stdint.h>

struct engine;
struct err;
struct strv;

struct engine_gc_result {
	uint64_t freed; /* bytes of the disk, given back */
	uint64_t left;  /* what the images still take */
};

/* keep: how many bytes of the disk images may take; -1: no budget. *done gets "Untagged: ..." and
 * "Deleted: ...". That more is in use than the budget allows is no error: see result->left. Fails
 * with ERR_STATE while somebody pulls or starts a container. */
int engine_gc(struct engine *engine, int64_t keep, struct strv *done,
	      struct engine_gc_result *result, struct err *e);
