/* auth_helper.h - Docker's credential helpers: `docker-credential-NAME get`, the registry on
 * stdin, one JSON object on stdout. Run with an argument vector, bounded in output and time. */
#pragma once

struct err;
struct image_auth;

/* 1 with *auth filled, 0 if the helper knows nothing of host, or fails. Forks, so it is called
 * before there are threads. */
int image_auth_helper_get(struct image_auth *auth, const char *name, const char *host,
			  struct err *e);
