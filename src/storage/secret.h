/* secret.h - what a container needs to know and no image may hold: passwords, keys. secrets/NAME/
 * holds secret.json (0600, nothing secret in it) and the bytes in a file named after its id (0600).
 * A container that uses one has a hard link to that file, so that it outlives `secret rm`. */
#pragma once
#include <stdbool.h>

#include "base/shape.h"

struct err;
struct store;
struct str;

/* podman 4.3 pkg/secrets: 500 kB; its names have 64 characters, later ones 253. */
enum { STORAGE_SECRET_BYTES_MAX = 512000, STORAGE_SECRET_NAME_MAX = 253 };

struct storage_secret {
	char *id; /* 25 hex digits, as podman's: new with each replacement */
	char *name;
	char *created; /* RFC 3339 */
	char *updated;
	struct shape_map labels;
};

struct storage_secrets {
	SHAPE_LIST_OF(struct storage_secret) items; /* by name */
};

void storage_secret_clear(struct storage_secret *secret);
void storage_secrets_clear(struct storage_secrets *secrets);

/* Stores length bytes as name, with labels. With replace, in the place of one that is there; else
 * ERR_EXISTS. *ret_id is the caller's. */
int storage_secret_create(char **ret_id, const struct store *store, const char *name,
			  const struct shape_map *labels, const struct str *bytes, bool replace,
			  struct err *e);

/* By name, by id or by the beginning of an id, which must fit one alone. ERR_NOT_FOUND,
 * ERR_INVALID. The caller clears. */
int storage_secret_find(struct storage_secret *to, const struct store *store, const char *name,
			struct err *e);

int storage_secret_list(struct storage_secrets *to, const struct store *store, struct err *e);

/* The bytes, added to *to. */
int storage_secret_read(struct str *to, const struct store *store,
			const struct storage_secret *secret, struct err *e);

/* A hard link to the bytes at path below dir_fd, a folder of the store. ERR_NOT_FOUND: it has gone
 * or been replaced meanwhile. */
int storage_secret_link(const struct store *store, const struct storage_secret *secret, int dir_fd,
			const char *path, struct err *e);

int storage_secret_remove(const struct store *store, const char *name, struct err *e);
