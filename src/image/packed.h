/* packed.h - an image made of folders: each becomes a layer that is packed and not compressed, so
 * that its digest is its diff id (decision 0022), and then the documents. For commit and build. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_descriptor;
struct oci_image_config;
struct oci_manifest;
struct pack_options;
struct store;

/* Packs the folder as a blob. The caller clears *ret. */
int image_packed_layer(struct oci_descriptor *ret, const struct store *store, int folder_fd,
		       const struct pack_options *options, struct err *e);

/* Of an image that only its containers know any more the packed layers may be gone; the unpacked
 * ones are there, as the containers need them. They are packed again, and may then have other
 * digests, in both documents. */
int image_packed_parents(const struct store *store, struct oci_manifest *manifest,
			 struct oci_image_config *config, struct err *e);

/* Writes the config, and the manifest that names it, all in OCI's types or all in docker's,
 * whichever the parent has. */
int image_packed_documents(const struct store *store, struct oci_manifest *manifest,
			   const struct oci_image_config *config, bool docker, char *ret_digest,
			   struct err *e);
