/* list.h - lists of manifests ("manifest create"), which are made here and then pushed: an OCI
 * index each, in $root/lists under the name that it is to have. (storage/list.h). */
#pragma once
#include <stdbool.h>

#include "oci/image.h"

struct err;
struct image_invocation;
struct store;

/* name is a full reference. The caller clears *list. ERR_NOT_FOUND. */
int image_list_read(struct oci_index *list, const struct store *store, const char *name,
		    struct err *e);

/* Verb "list": create, add, annotate, remove, inspect, push or exists, the list's name, and
 * what belongs to it. Changes (os=, arch=, variant=, os-version=, annotation=KEY=VALUE) are the
 * invocation's. */
int image_list_verb(const struct image_invocation *invocation, struct err *e);
