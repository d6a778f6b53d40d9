/* cache.h - steps that some build has done: $root/build/HEX (image/build_request.h), HEX of the
 * key.
 * A record is written after its layer has its name, and counts while the layer is there; both are
 * the garbage collector's (storage/gc.h). Looking one up makes it young again. */
#pragma once
#include <stdbool.h>

struct err;
struct store;

/* The hex of the layer's diff id, the caller's; NULL: not known. */
char *build_cache_find(const struct store *store, const char *key);

/* Is there a record of the key, with its layer? */
bool build_cache_has(const struct store *store, const char *key);

/* Makes the folder where it is missing. */
int build_cache_open(const struct store *store, struct err *e);
