/* frozen.h - layers that a container wrote: layers/HEX beside those of images, fs/ and layer.json.
 * HEX is no digest of anything, but 256 random bits: what such a layer holds is known by who made
 * it, and never changes. It is kept as long as a record or a snapshot names it (storage/gc.h); who
 * makes one holds store_lock_layers_shared() until that is written. */
#pragma once
#include <stdbool.h>

struct err;
struct store;

enum { FROZEN_NAME_SIZE = 65 };

/* Makes one that is empty, its root with owner, mode and attributes of the folder like_fd. */
int storage_frozen_make(char ret_name[FROZEN_NAME_SIZE], const struct store *store, int like_fd,
			const char *container_id, struct err *e);

/* Its root, a readable folder, the caller's. */
int storage_frozen_open(const struct store *store, const char *name, struct err *e);

/* Exchanges its root and the folder path below dir_fd in one step. */
int storage_frozen_exchange(const struct store *store, const char *name, int dir_fd,
			    const char *path, struct err *e);

/* Removes it, which nothing names. */
void storage_frozen_remove(const struct store *store, const char *name);
