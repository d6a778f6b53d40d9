/* members.h - the files of an archive or of a folder, by name, for load. Those of a folder, and
 * those of a tar that is a file and not compressed, are read where they lie: of the tar only the
 * headers at first. Any other archive is read once, from the first byte to the last, as it may come
 * through a pipe: its files go to a folder of the store's own, hashed on their way, from where they
 * become blobs by a rename. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "oci/digest.h"

struct err;
struct store;
struct str;
struct image_members;

enum {
	IMAGE_MEMBERS_MAX = 20000, /* files in one archive */
	IMAGE_MEMBERS_DEPTH = 8,   /* links to links */
};

/* The tar (gzip and zstd are seen through) that fd has, which stays the caller's. Nothing is left
 * in the store once it is freed. Bytes are bounded by what the disk has. */
int image_members_archive(struct image_members **ret, const struct store *store, int fd,
			  struct err *e);
int image_members_folder(struct image_members **ret, const struct store *store, const char *path,
			 struct err *e);

void image_members_free(struct image_members *members);
OWN_DEFINE(image_members_free, struct image_members *)

bool image_members_has(const struct image_members *members, const char *name);

/* Appends a whole small file to *to. ERR_CORRUPT where it is missing. */
int image_members_read(const struct image_members *members, const char *name, size_t bytes_max,
		       struct str *to, struct err *e);

/* Makes the file a blob of the store. digest and size: what it must be (NULL, -1: anything);
 * digest_ret and size_ret (may be NULL) say what it is. */
int image_members_store(struct image_members *members, const char *name, const char *digest,
			int64_t size, char *digest_ret, int64_t *size_ret, struct err *e);

/* The file's first bytes, and how many it has. Fewer than length: the rest is zero. */
int image_members_look(const struct image_members *members, const char *name, char *head,
		       size_t length, int64_t *size, struct err *e);

/* The file is to become the blob digest, as a layer is brought: image_members_open() finds it
 * then. What had to go to the store's folder anyway becomes the blob at once. */
int image_members_promise(struct image_members *members, const char *name, const char *digest,
			  int64_t size, struct err *e);

/* The descriptor of a file that was promised, and where in it the blob begins. For any thread. */
int image_members_open(const struct image_members *members, const char *digest, int64_t *from,
		       struct err *e);
