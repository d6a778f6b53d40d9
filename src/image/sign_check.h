/* sign_check.h - would policy.json let this image in? */
#pragma once
struct err;
struct image_invocation;

/* Verb "sign-check": a stored image's name. Asks where signatures are looked for; reports the image
 * if it is allowed. */
int image_sign_check_verb(const struct image_invocation *invocation, struct err *e);
