/* list.h - lists of manifests ("manifest create"), which are made here and then pushed: an OCI
 * index each, in $root/lists under the name that it is to have. What an entry is of stands in its
 * annotation org.holm.source, a repository's name, if it is not an image of the store. */
#pragma once
#include <stdbool.h>

#include "oci/image.h"

struct err;
struct image_invocation;
struct store;

#define IMAGE_LIST_SOURCE "org.holm.source"

/* name is a full reference. The caller clears *list. ERR_NOT_FOUND. */
int image_list_read(struct oci_index *list, const struct store *store, const char *name,
		    struct err *e);

/* Under the lock that image_list_lock() gives, for as long as from reading to writing. */
int image_list_lock(const struct store *store, struct err *e);
int image_list_write(const struct store *store, const char *name, const struct oci_index *list,
		     struct err *e);
int image_list_remove(const struct store *store, const char *name, struct err *e);

/* Verb "list": create, add, annotate, remove, rm, inspect, push or exists, the list's name, and
 * what belongs to it. Changes (os=, arch=, variant=, os-version=, annotation=KEY=VALUE) are the
 * invocation's. */
int image_list_verb(const struct image_invocation *invocation, struct err *e);
