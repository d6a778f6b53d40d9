/* shifted.h - layers of the store once more, as one and with other owners, for users who cannot
 * have mounts mapped (mount_setattr(2), MOUNT_ATTR_IDMAP): layers/HEX/ids-KEY/fs, HEX the
 * topmost of them. Where the kernel can, its files have no bytes of their own (copy.h,
 * "redirect"). It is there whole once it has this name, can be made again at any time, and goes
 * with that layer. .ids-KEY beside it is debris of a killed writer. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shape.h"
#include "oci/id_map.h"

struct err;
struct store;
struct strv;

enum { SHIFTED_KEY_SIZE = 65 };

struct storage_shifted_part {
	const char *layer;     /* borrowed */
	struct oci_id_map ids; /* an id on the disk, and the one that is wanted; borrowed. An id
				* that is not there stays */
};

struct storage_shifted {
	SHAPE_LIST_OF(struct storage_shifted_part) parts; /* lowest first, at least one */
};

/* What it is called. Pure. */
void storage_shifted_key(char ret[SHIFTED_KEY_SIZE], const struct storage_shifted *shifted);

/* Its absolute path, the caller's; and does it need the layers themselves for bytes of its
 * files? */
char *storage_shifted_path(bool *ret_redirected, const struct store *store,
			   const struct storage_shifted *shifted);

bool storage_shifted_is_there(const struct store *store, const struct storage_shifted *shifted);

/* Makes it, if nobody has meanwhile. redirected: the kernel takes layers with data alone.
 * ERR_NOT_FOUND: a layer is not there. */
int storage_shifted_make(const struct store *store, const struct storage_shifted *shifted,
			 bool redirected, struct err *e);

/* Removes those whose keys are not in kept, and the debris; adds the bytes that this gave back. The
 * caller keeps others from making one (store_lock_layers_exclusive). */
int storage_shifted_prune(const struct store *store, const struct strv *kept, uint64_t *bytes,
			  struct err *e);
