/* list.h - lists of manifests, an image for several platforms under one name: lists/NAME, an OCI
 * index of images of this store (or, while `manifest create` makes one, of others). Written by
 * holm-image, image/list.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "oci/image.h"

struct err;
struct store;
struct strv;

/* Annotations of an entry that are holm's alone, and never pushed: the repository that it is of, if
 * it is not an image of the store, and the name that it was added by. */
#define STORAGE_LIST_SOURCE "org.holm.source"
#define STORAGE_LIST_NAME   "org.holm.name"

bool storage_list_exists(const struct store *store, const char *name);

/* The caller clears *to. ERR_NOT_FOUND. */
int storage_list_read(struct oci_index *to, const struct store *store, const char *name,
		      struct err *e);

/* The names of all lists. */
int storage_list_names(struct strv *to, const struct store *store, struct err *e);

/* When it was changed last; 0: there is no such list. */
int64_t storage_list_changed_ns(const struct store *store, const char *name);

/* The digests of the manifests that they name. */
void storage_list_named(struct strv *to, const struct store *store);

/* For as long as from reading to writing one, and from asking what they name until an image has
 * been removed. Comes before the lock of the images. */
int storage_list_lock(const struct store *store, struct err *e);
int storage_list_write(const struct store *store, const char *name, const struct oci_index *list,
		       struct err *e);
int storage_list_remove(const struct store *store, const char *name, struct err *e);

/* The bytes that a registry gets for it: without holm's annotations. The caller frees. */
char *storage_list_text(const struct oci_index *list);
