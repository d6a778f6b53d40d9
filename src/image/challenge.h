/* challenge.h - what a registry wants before it answers: the WWW-Authenticate header of RFC 9110
 * §11.6.1, as far as distribution-spec's registries use it. Pure text, from a hostile source. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct err;

enum { IMAGE_CHALLENGE_VALUE_MAX = 4096 };

struct image_challenge {
	bool bearer;   /* ask realm for a token; false: Basic */
	char *realm;   /* address of the token service; of Basic only for people */
	char *service; /* may be NULL */
	char *scope;   /* "repository:library/nginx:pull"; may be NULL */
};

/* Looks through the headers' values for a Bearer challenge with a realm, then for Basic. Returns
 * ERR_UNSUPPORTED if there is neither, ERR_CORRUPT if a header is malformed. The caller clears. */
int image_challenge_parse(struct image_challenge *challenge, const struct strv *headers,
			  struct err *e);
void image_challenge_clear(struct image_challenge *challenge);
