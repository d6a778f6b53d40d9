/* list.h - lists of manifests, an image for several platforms under one name: lists/NAME, an OCI
 * index of images of this store (or, while `manifest create` makes one, of others). Written by
 * holm-image, image/list.h. */
#pragma once
#include <stdbool.h>

#include "oci/image.h"

struct err;
struct store;

/* Below the store's root, of a full reference. The caller frees. */
char *storage_list_path(const char *name);

bool storage_list_exists(const struct store *store, const char *name);

/* The caller clears *to. ERR_NOT_FOUND. */
int storage_list_read(struct oci_index *to, const struct store *store, const char *name,
		      struct err *e);

/* Does one of them name this manifest? */
bool storage_list_has(const struct store *store, const char *digest);
