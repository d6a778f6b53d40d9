/* list_push.h - a list of manifests into a registry: each image that it names, then the list. */
#pragma once
struct err;
struct image_invocation;
struct oci_index;

/* To destination, "[docker://]NAME". What is not in the store has to be on the same registry, from
 * where it is mounted. Changes list: what is holm's alone does not go along. */
int image_list_push(const struct image_invocation *invocation, struct oci_index *list,
		    const char *destination, struct err *e);
