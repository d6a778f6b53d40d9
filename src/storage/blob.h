/* blob.h - bytes by digest, images/blobs/sha256/HEX: written once, verified before they have
 * their name, never changed. A download that broke off stays in partial/HEX, so that a Range
 * request can go on with it; it is locked by its writer, so that one blob is fetched once. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

struct err;
struct store;
struct str;

/* Opens a blob for reading; ERR_NOT_FOUND. size may be NULL. */
int storage_blob_open(const struct store *store, const char *digest, int64_t *size, struct err *e);

/* Does it exist with this size (-1: any)? */
bool storage_blob_exists(const struct store *store, const char *digest, int64_t size);

/* Reads a small blob (a manifest, a config) whole and checks its digest... which costs a hash, so
 * only holm-image links it: storage/blob_writer.c. */
int storage_blob_read_verified(const struct store *store, const char *digest, size_t bytes_max,
			       struct str *to, struct err *e);

/* The same without the hash, for the hot path: what was committed was verified then. */
int storage_blob_read(const struct store *store, const char *digest, size_t bytes_max,
		      struct str *to, struct err *e);

struct blob_writer; /* storage/blob_writer.c, in holm-image only */

/* Starts writing the blob of this digest and size (-1: not known; then bytes_max bounds it).
 * digest NULL: whatever the bytes come to (for import and commit).
 * What an earlier try left is kept and hashed again; storage_blob_writer_offset() says where to go
 * on. Returns 0 with *ret the caller's; 1 with *ret untouched if the blob is there already; or
 * fails: with wait false, ERR_STATE while another process writes the same blob. */
int storage_blob_begin(struct blob_writer **ret, const struct store *store, const char *digest,
		       int64_t size, int64_t bytes_max, bool wait, struct err *e);

/* Bytes there already: the first byte to ask for. */
int64_t storage_blob_offset(const struct blob_writer *writer);

/* Reads again what is there already: at most length bytes from at on. */
ssize_t storage_blob_reread(const struct blob_writer *writer, void *bytes, size_t length,
			    int64_t at, struct err *e);

/* Throws away what is there: the server cannot go on in the middle. */
int storage_blob_restart(struct blob_writer *writer, struct err *e);

/* ERR_CORRUPT when more comes than the descriptor says, ERR_NO_SPACE on a full disk. */
int storage_blob_write(struct blob_writer *writer, const void *bytes, size_t length, struct err *e);

/* Checks size and digest, then fsync, rename, fsync of the folder. A mismatch is ERR_CORRUPT and
 * the bytes are gone. digest_ret (DIGEST_TEXT_SIZE bytes) and size_ret may be NULL. */
int storage_blob_commit(struct blob_writer *writer, char *digest_ret, int64_t *size_ret,
			struct err *e);

/* Ends a writer. Not committed: the partial is kept if keep is asked for (and a digest known),
 * else removed. */
void storage_blob_keep(struct blob_writer *writer);
void storage_blob_end(struct blob_writer *writer);
OWN_DEFINE(storage_blob_end, struct blob_writer *)

/* Writes a whole small blob; its digest goes to digest_ret (DIGEST_TEXT_SIZE). */
int storage_blob_put(const struct store *store, const void *bytes, size_t length, char *digest_ret,
		     struct err *e);

/* Gives the file at path (below the root, on the same filesystem) the name of the blob it is:
 * whoever wrote it has hashed it. fsync, rename, fsync of the folder. */
int storage_blob_adopt(const struct store *store, const char *path, const char *digest,
		       struct err *e);
