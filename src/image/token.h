/* token.h - how a registry's challenge is answered: Basic, or a bearer token from the service that
 * the challenge names (distribution-spec's token authentication, docs.docker.com "token"). */
#pragma once

struct err;
struct image_auth;
struct image_challenge;
struct image_http;
struct strv;

enum { IMAGE_TOKEN_ANSWER_MAX = 256 << 10 };

struct image_token_wanted {
	const char *registry_url;  /* where the challenge came from */
	const char *path;          /* the repository; "": none */
	const struct strv *scopes; /* to ask for; none: what the challenge says */
};

/* The realm must be https, or where the registry is if that speaks plain HTTP. *ret is the value of
 * Authorization, the caller's. auth NULL: nobody, which bearer services mostly take.
 * ERR_PERMISSION if a login is needed or refused. */
int image_token_answer(char **ret, struct image_http *http, const struct image_token_wanted *wanted,
		       const struct image_challenge *challenge, const struct image_auth *auth,
		       struct err *e);
