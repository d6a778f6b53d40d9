/* push.h - an image of the store into a registry: layers, config, manifest, in this order, so that
 * a name there never leads to something that is missing. The manifest goes as it is: its digest is
 * the one that the image was pulled, loaded or made with. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct image_access;
struct image_invocation;
struct image_report;
struct store;

struct image_push {
	const struct store *store;
	struct image_report *report;
	const struct image_access *access;
	bool all_tags; /* every image whose name is the same up to the tag */
	int64_t chunk; /* see upload.h */
};

/* Pushes what name means: under this name, or as destination (may be NULL). Reports each tag.
 * Enters the jail once the host's files have been read. Nothing in the store changes. */
int image_push(const struct image_push *push, const char *name, const char *destination,
	       struct err *e);

/* Verb "push": a name, and perhaps a destination: "[docker://]NAME", "oci:DIR", "oci-archive:FILE",
 * "docker-archive:FILE", each with ":NAME" behind it, or "dir:DIR". A name that no image has, but a
 * list of manifests, is that list. */
int image_push_verb(const struct image_invocation *invocation, struct err *e);
