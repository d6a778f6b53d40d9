/* build.h - the verb "build": steps of a build become layers, records of the cache, an image. */
#pragma once

struct err;
struct image_invocation;

/* --request-fd: an image_build_request (build_request.h). The caller's folders are locked by it,
 * and so are the layers (shared). */
int image_build_verb(const struct image_invocation *invocation, struct err *e);
