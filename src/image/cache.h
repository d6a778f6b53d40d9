/* cache.h - a cache of builds that came from elsewhere (build/import.h): an image whose layers say
 * in an annotation which step made them. Its two documents are brought at once, a layer when it is
 * wanted. */
#pragma once

struct err;
struct image_invocation;
struct oci_image_config;
struct oci_manifest;

/* Of a layer's descriptor: "sha256:HEX", the key of the step. */
#define IMAGE_CACHE_KEY "org.holm.build.key"

/* Leaves the one layer that says this key. ERR_NOT_FOUND. */
int image_cache_choose(struct oci_manifest *manifest, struct oci_image_config *config,
		       const char *key, struct err *e);

/* Verb "cache": SOURCE brings manifest and config into the store, in no list, and reports the
 * manifest's digest; SOURCE DIGEST KEY brings the layer that this manifest has for the key. SOURCE
 * is a name in a registry, or "local:FOLDER", an OCI layout. */
int image_cache_verb(const struct image_invocation *invocation, struct err *e);
