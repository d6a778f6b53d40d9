/* volume.h - named volumes: volumes/NAME/volume.json and data/. A volume exists once it has its
 * name, which it gets together with its record. Who uses it, and filling a new one from an image,
 * is the engine's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

struct err;
struct store;

struct storage_volume {
	char *name;    /* [a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}; anonymous: 64 hex digits */
	char *driver;  /* "local" */
	char *created; /* RFC 3339 */
	bool anonymous;
	struct shape_map labels;
	struct shape_map options;
};

struct storage_volumes {
	SHAPE_LIST_OF(struct storage_volume) items; /* by name */
};

extern const struct shape storage_volume_shape;

void storage_volume_clear(struct storage_volume *volume);
void storage_volumes_clear(struct storage_volumes *volumes);

/* ERR_INVALID unless name is one. */
int storage_volume_check_name(const char *name, struct err *e);

/* Makes it with an empty data folder (0755, of the caller). Returns 0, or 1 if a volume of that
 * name is there already (its record is left as it is). created NULL: now. */
int storage_volume_create(const struct store *store, const struct storage_volume *volume,
			  struct err *e);

/* Makes what is missing of one whose folder is there: data/, and a record without labels in the
 * place of one that cannot be read. */
int storage_volume_mend(const struct store *store, const char *name, struct err *e);

/* Reads its record; ERR_NOT_FOUND. The caller clears. */
int storage_volume_read(struct storage_volume *to, const struct store *store, const char *name,
			struct err *e);

/* A readable descriptor of its data folder; ERR_NOT_FOUND. */
int storage_volume_open(const struct store *store, const char *name, struct err *e);

/* The absolute path of its data folder; the caller frees. Pure. */
char *storage_volume_path(const struct store *store, const char *name);

/* Also clears what killed ones left, as the next does. */
int storage_volume_list(struct storage_volumes *to, const struct store *store, struct err *e);

/* Removes volumes that were half made or half removed by what was killed. */
void storage_volume_clear_debris(const struct store *store);

/* Renames it away, then deletes; ERR_NOT_FOUND. bytes (of the disk, freed) may be NULL. */
int storage_volume_remove(const struct store *store, const char *name, uint64_t *bytes,
			  struct err *e);

/* Bytes of the disk below its data folder. */
int storage_volume_size(const struct store *store, const char *name, uint64_t *ret, struct err *e);
