/* lookaside.h - where the signatures of a repository lie, beside its registry: registries.d
 * (containers-registries.d(5)). */
#pragma once
struct err;
struct image_http;
struct image_reference;
struct str;

enum {
	IMAGE_LOOKASIDE_SIGNATURE_MAX = 1 << 20,
	IMAGE_LOOKASIDE_SIGNATURES_MAX = 64, /* of one image: what is beyond is not looked at */
};

/* "file:///var/lib/containers/sigstore" or "https://host/path", of the user's registries.d or that
 * in /etc/containers, else the default, which is such a folder. The caller's. */
int image_lookaside_find(char **ret, const struct image_reference *ref, struct err *e);

/* Signature number i (from 1) of the manifest: 1 with *to filled, 0 if there is none. */
int image_lookaside_read(struct str *to, const char *base, const struct image_reference *ref,
			 const char *digest, int i, struct image_http *http, struct err *e);
