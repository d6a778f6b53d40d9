/* verify.h - are the bytes of the images what their digests say? Blobs are hashed; a layer is
 * compared with what its blob unpacks to. What is missing altogether is the engine's to find: it
 * needs no hash for it. */
#pragma once

struct err;
struct image_invocation;

/* Verb "check": quick|full. Quick hashes manifests and configs, and looks at sizes; full reads
 * everything. Changes nothing; each damage is a finding of the report. */
int image_verify_verb(const struct image_invocation *invocation, struct err *e);

/* Verb "mend": "blob/sha256:HEX" and "layer/sha256:HEX", as the findings named them. Each is looked
 * at again; a damaged blob is removed, a damaged or missing layer is unpacked from its blob and
 * takes the place of the old one. The caller holds the layers' lock exclusively, and sees to it
 * that no container runs on one of these layers. */
int image_verify_mend_verb(const struct image_invocation *invocation, struct err *e);
