/* hash.h - sha256 over a stream, by libcrypto. A library of its own (storage_hash): most commands
 * need none of it. */
#pragma once
#include <stddef.h>

#include "base/own.h"
#include "oci/digest.h"

struct storage_hash;

struct storage_hash *storage_hash_new(void);
void storage_hash_add(struct storage_hash *hash, const void *bytes, size_t length);
void storage_hash_restart(struct storage_hash *hash);

enum { STORAGE_HASH_SIZE = 32 };

/* "sha256:HEX" of all that was added; then only restart or free may follow. */
void storage_hash_end(struct storage_hash *hash, char to[DIGEST_TEXT_SIZE]);

/* The same, its bytes. */
void storage_hash_end_bytes(struct storage_hash *hash, unsigned char to[STORAGE_HASH_SIZE]);
void storage_hash_free(struct storage_hash *hash);
OWN_DEFINE(storage_hash_free, struct storage_hash *)

/* Of one piece. */
void storage_hash_bytes(const void *bytes, size_t length, char to[DIGEST_TEXT_SIZE]);
