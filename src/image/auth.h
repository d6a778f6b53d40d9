/* auth.h - as whom a registry is asked: the files of containers-auth.json(5) and of Docker, and
 * the credential helpers they name. */
#pragma once
#include <stddef.h>

struct err;
struct strv;

enum {
	IMAGE_AUTH_FILE_MAX = 1 << 20,
	IMAGE_AUTH_HELPER_MAX = 64 << 10, /* bytes that a helper may print */
	IMAGE_AUTH_HELPER_MS = 30000,     /* how long it may think */
};

struct image_auth {
	char *user;
	char *password;
	char *token; /* an OAuth2 refresh token instead of the two */
};
void image_auth_clear(struct image_auth *auth);

/* Where to look. All may be NULL. */
struct image_auth_files {
	const char *file; /* --authfile, else $REGISTRY_AUTH_FILE: this one alone; it must exist */
};

/* For host ("docker.io", "localhost:5000") and path; in each file the longest entry that begins
 * "host/path" wins. Returns 1 with *auth the caller's, 0 if there is nothing for it, or fails: a
 * file that cannot be read or is no JSON, a helper that cannot be run or does not answer. */
int image_auth_find(struct image_auth *auth, const struct image_auth_files *files, const char *host,
		    const char *path, struct err *e);

/* One file's text: 1, 0 or an error; *helper is the name of the helper to ask, if one is to be
 * (then 0 is returned), the caller's. what names the file in errors. */
int image_auth_parse(struct image_auth *auth, char **helper, const char *text, size_t length,
		     const char *host, const char *path, const char *what, struct err *e);

/* What a key of these files stands for: "https://index.docker.io/v1/" is "docker.io",
 * "https://host/v2/" is "host", "host/a/b" stays, as docker login and podman login have written
 * them over the years. The caller frees. */
char *image_auth_key(const char *key);

/* The files that are looked at where none is named. */
void image_auth_default_files(struct strv *files);

/* "Basic dXNlcjpwYXNz"; the caller frees. */
char *image_auth_basic(const struct image_auth *auth);
