/* gc.h - what nothing names goes. Roots: images/index.json, $run/images (those that are mounted),
 * build/HEX (steps of builds),
 * and every containers/ID/config.json and containers/ID/snapshots/NAME.json
 * (all arrays "layers" in it are diff ids, all members "digest" manifests; a record that cannot be
 * read stops the collection, because what it needs is not known). An image only a container names
 * keeps its layers, manifest and config, not its packed blobs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

struct gc_result {
	uint64_t bytes; /* of the disk, given back */
	uint64_t blobs;
	uint64_t layers;
	bool busy; /* somebody pulls or starts a container: nothing was done, the next time will */
};

/* A partial download older than this is given up. */
enum { GC_PARTIAL_SECONDS = 7 * 24 * 3600 };

/* wait: for running pulls to end; else *result may say busy. all_partials: also young ones
 * (that nobody writes). */
int storage_gc(const struct store *store, bool wait, bool all_partials, struct gc_result *result,
	       struct err *e);

/* Only the unfinished layers, and blobs without a name, that killed writers left, where there are
 * some and nobody writes one just now. The caller holds no lock on the layers. */
int storage_gc_unfinished(const struct store *store, struct err *e);
