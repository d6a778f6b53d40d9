/* auth_helper.h - Docker's credential helpers: `docker-credential-NAME get`, the registry on
 * stdin, one JSON object on stdout; `store` with such an object on stdin; `erase` with the
 * registry. Run with an argument vector, bounded in output and time. */
#pragma once

struct err;
struct image_auth;

/* 1 with *auth filled, 0 if the helper knows nothing of host, or fails. Forks, so it is called
 * before there are threads. */
int image_auth_helper_get(struct image_auth *auth, const char *name, const char *host,
			  struct err *e);

/* Gives it user and password to keep. */
int image_auth_helper_store(const struct image_auth *auth, const char *name, const char *host,
			    struct err *e);

/* 1 if it had a login for host, and has none now; 0 if it had none. */
int image_auth_helper_erase(const char *name, const char *host, struct err *e);
