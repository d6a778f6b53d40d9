/* steps.h - what builds keep for the next one: build/HEX, records of steps, each of which keeps a
 * layer (written by holm-image, image/build_request.h); caches/HEX, what RUN --mount=type=cache
 * has, whose folder is locked (flock) while it is used; contexts/HEX, digests of their files
 * (build/stat_cache.h). The time of each is its last use. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define STORAGE_CONTEXTS "contexts"

struct err;
struct store;

enum {
	STEPS_DISK_PERCENT = 10, /* of the disk: so much may the layers of steps take */
	STEPS_CONTEXTS_BYTES_MAX = 256 << 20,
	STEPS_CACHE_SECONDS = 60 * 24 * 3600, /* a cache that nobody used for so long goes */
};

/* Forgets the steps that were not used for the longest time, until the rest is within the bound,
 * the same of contexts,
 * and removes old caches. Of layers it removes nothing: that is the collection's, whose lock the
 * caller holds. freed (bytes of caches) may be NULL. */
int storage_steps_bound(const struct store *store, uint64_t *freed, struct err *e);

/* Forgets those that were not used for the longest time, until they are so many bytes. */
int storage_steps_forget(const struct store *store, uint64_t bytes, struct err *e);

/* Forgets all steps and contexts; with caches also removes what nobody uses of these. */
int storage_steps_clear(const struct store *store, bool caches, uint64_t *freed, struct err *e);
