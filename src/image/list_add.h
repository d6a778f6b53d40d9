/* list_add.h - what goes into a list of manifests: images of the store, or of registries. */
#pragma once
#include <stdbool.h>

#include "oci/image.h"

struct err;
struct image_invocation;

struct image_list_additions {
	SHAPE_LIST_OF(struct oci_descriptor) items;
};

/* Finds each of the names (closed by NULL): an image of the store, else one of a registry
 * ("docker://NAME": of a registry in any case), of an index its entry for the platform, or with
 * --all every one. The invocation's changes are applied. Enters the jail for a registry. */
int image_list_find(struct image_list_additions *to, const struct image_invocation *invocation,
		    char *const *names, struct err *e);
void image_list_clear_additions(struct image_list_additions *all);

/* Moves them into the list; one that is there already is replaced. */
int image_list_add(struct oci_index *list, struct image_list_additions *all, struct err *e);

/* os=, arch=, variant=, os-version=, annotation=KEY=VALUE. */
int image_list_change(struct oci_descriptor *entry, const struct strv *changes, struct err *e);

/* Prints what the registry has under the name: the second operand. */
int image_list_inspect_remote(const struct image_invocation *invocation, struct err *e);
