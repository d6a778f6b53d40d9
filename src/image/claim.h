/* claim.h - what a signature says: "simple signing", containers-signature(5). From a file that is
 * hostile until gpgv has said whose it is. */
#pragma once
#include <stddef.h>

struct err;

struct image_claim {
	char *reference; /* critical.identity.docker-reference */
	char *digest;    /* critical.image.docker-manifest-digest */
};
void image_claim_clear(struct image_claim *claim);

/* The caller clears. ERR_CORRUPT where anything is there that is critical and not understood. */
int image_claim_parse(struct image_claim *claim, const char *text, size_t length, struct err *e);
