/* auth_store.h - logins are kept, and forgotten: in the file of containers-auth.json(5), or with
 * the credential helper that this file or Docker's names. */
#pragma once
#include <stdbool.h>

struct err;
struct image_auth;
struct image_auth_files;

/* Keeps user and password for key ("docker.io", "localhost:5000", "quay.io/team"), in the place of
 * what was there: in files->file, else $REGISTRY_AUTH_FILE, else $DOCKER_CONFIG/config.json where
 * that is set, else auth.json below $XDG_RUNTIME_DIR or /run/containers. The file has mode 0600 and
 * is replaced in one step; two writers wait for each other. *where names the place, the
 * caller's. */
int image_auth_store(const struct image_auth_files *files, const char *key,
		     const struct image_auth *auth, char **where, struct err *e);

/* Takes the login for key (NULL: every one) out of all files and helpers that image_auth_find()
 * asks. *found: there was one. */
int image_auth_store_forget(const struct image_auth_files *files, const char *key, bool *found,
			    struct err *e);

/* One file's text without the login for key (NULL: any), or with the one that auth says; NULL if
 * that changes nothing. Of text "" a new one. *helper: who keeps it instead (then NULL, too). */
int image_auth_store_edit(char **ret, char **helper, const char *text, const char *key,
			  const struct image_auth *auth, const char *what, struct err *e);
