/* store.h - the two folders holm owns: root (durable) and run (tmpfs), their layout and their
 * locks (ARCHITECTURE.md, "On disk"). Opening them is on the path of every command: five system
 * calls where they exist, and they are made only where opening them fails. */
#pragma once
#include <stdbool.h>

#include "base/own.h"

struct err;

#define STORE_ROOT_DEFAULT "/var/lib/holm"
#define STORE_RUN_DEFAULT  "/run/holm"

enum { STORE_VERSION = 1 };

struct store {
	char *root; /* absolute paths, for messages and for the runtime's annotations */
	char *run;
	int root_fd; /* readable folders, O_CLOEXEC */
	int run_fd;
};

/* Opens (and makes, 0700) both folders. root and run: NULL means $HOLM_ROOT and $HOLM_RUN, else
 * the defaults. Fails with ERR_UNSUPPORTED, touching nothing, on a store of a newer version. The
 * caller closes *ret. */
int store_open(struct store **ret, const char *root, const char *run, struct err *e);
void store_close(struct store *store);
OWN_DEFINE(store_close, struct store *)

/* Makes the folders, and oci-layout, that a whole store has. */
int store_make_folders(const struct store *store, struct err *e);

/* A lock is a descriptor; closing it (or dying) gives it back. */

/* Opens the folder path below dir_fd and locks it by flock(2): operation is LOCK_SH or LOCK_EX,
 * with LOCK_NB ERR_STATE instead of waiting. */
int store_lock_folder(int dir_fd, const char *path, int operation, struct err *e);

/* Shared from looking an image up until the record that names its layers is on disk, or while
 * pulling or loading; exclusive (wait or not) for garbage collection. */
int store_lock_layers_shared(const struct store *store, struct err *e);
int store_lock_layers_exclusive(const struct store *store, bool wait, struct err *e);

/* For changes of images/index.json: held for moments, so it is always waited for. */
int store_lock_images(const struct store *store, struct err *e);

/* fsync of a folder of the store, after a rename that must last. */
int store_sync_folder(const struct store *store, const char *path, struct err *e);
