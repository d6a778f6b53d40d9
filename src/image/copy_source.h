/* copy_source.h - where a copy takes an image from, before it is in any store: a registry, an OCI
 * layout (a folder or a tar), or skopeo's "dir:". Documents come as they are, blobs into the
 * store's blobs. For copy.c. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "image/members.h"
#include "image/place.h"
#include "image/registry.h"
#include "image/source.h"

struct err;
struct image_invocation;
struct oci_descriptor;

struct image_copy_source {
	const struct image_invocation *invocation;
	struct image_source named;
	SHAPE_LIST_OF(struct image_place) places; /* of a registry: its mirrors, and itself */
	const struct image_place *place;          /* the one that had the image */
	struct image_registry *registry;
	struct image_members *members; /* else */
	pthread_mutex_t lock;          /* of members */
};

/* What text names, and whether policy.json allows anything from there: all that is read from the
 * host's files. The caller clears the zeroed *to, also after a failure. */
int image_copy_source_find(struct image_copy_source *to, const struct image_invocation *invocation,
			   const char *text, struct err *e);
void image_copy_source_clear(struct image_copy_source *source);

/* The document that the name leads to. In the jail. */
int image_copy_source_root(struct image_copy_source *source, struct image_document *ret,
			   struct err *e);

/* A manifest that another document names. */
int image_copy_source_document(struct image_copy_source *source, const struct oci_descriptor *d,
			       struct image_document *ret, struct err *e);

/* Does policy.json allow the image with this manifest? Before any blob is brought. */
int image_copy_source_allow(const struct image_copy_source *source, const char *digest,
			    struct err *e);

/* One blob into the store, unless it is there. For any thread. */
int image_copy_source_bring(struct image_copy_source *source, const struct oci_descriptor *d,
			    const atomic_bool *cancelled, struct err *e);
