/* allow.h - may this image come in? policy.json is asked before the jail closes, with all files
 * that it needs; and then, once the manifest's digest is known, whether it is met. Nothing of an
 * image that is not allowed is stored. */
#pragma once
#include <stdbool.h>

#include "base/own.h"

struct err;
struct image_allow;
struct image_reference;

/* For an image of a registry. *ret is the caller's. ERR_PERMISSION at once where nothing from
 * there is taken. Forks where signatures will have to be verified. */
int image_allow_registry(struct image_allow **ret, const struct image_reference *ref,
			 struct err *e);

/* For an archive or a layout ("oci", "oci-archive", "docker-archive", "dir"), which has no
 * signatures: the answer. path "-": standard input. name: of one image in it, or NULL. */
int image_allow_path(const char *transport, const char *path, const char *name, struct err *e);

/* Is what policy.json wants met by the manifest of this digest? ERR_PERMISSION. */
int image_allow_check(struct image_allow *allow, const char *digest, struct err *e);

/* Does it want signatures at all? */
bool image_allow_wants_signature(const struct image_allow *allow);

void image_allow_free(struct image_allow *allow);
OWN_DEFINE(image_allow_free, struct image_allow *)
