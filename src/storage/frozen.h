/* frozen.h - layers that a container wrote: layers/HEX beside those of images, fs/ and layer.json.
 * HEX is no digest of anything, but 256 random bits: what such a layer holds is known by who made
 * it, and never changes. It is kept as long as a record or a snapshot names it (storage/gc.h); who
 * makes one holds store_lock_layers_shared() until that is written. */
#pragma once
#include <stdbool.h>

#include "oci/runtime_spec.h"

struct err;
struct shape_map;
struct store;
struct strv;

enum { FROZEN_NAME_SIZE = 65 };

/* What layer.json says. */
struct storage_frozen_facts {
	char *frozen;                /* when, RFC 3339; set by storage_frozen_make() */
	char *container;             /* by whom */
	char *origin;                /* its name where it was frozen, on another host; NULL: here */
	struct oci_id_mappings uids; /* ids of the container, and those on the disk */
	struct oci_id_mappings gids;
};
void storage_frozen_facts_clear(struct storage_frozen_facts *facts);

/* Makes one that is empty, its root with owner, mode and attributes of the folder like_fd (-1:
 * root's, 0755). */
int storage_frozen_make(char ret_name[FROZEN_NAME_SIZE], const struct store *store, int like_fd,
			const struct storage_frozen_facts *facts, struct err *e);

/* ERR_CORRUPT, ERR_NOT_FOUND: there is no such layer, or it is an image's. */
int storage_frozen_read(struct storage_frozen_facts *ret, const struct store *store,
			const char *name, struct err *e);

/* Of these layers, by their names where they were frozen, here or elsewhere, those that are there,
 * and their names here. Looks at all layers, once. */
int storage_frozen_find(struct shape_map *to, const struct store *store, const struct strv *origins,
			struct err *e);

/* Its root, a readable folder, the caller's. */
int storage_frozen_open(const struct store *store, const char *name, struct err *e);

/* Exchanges its root and the folder path below dir_fd in one step. */
int storage_frozen_exchange(const struct store *store, const char *name, int dir_fd,
			    const char *path, struct err *e);

/* Removes it, which nothing names. */
void storage_frozen_remove(const struct store *store, const char *name);
