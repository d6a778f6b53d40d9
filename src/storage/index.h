/* index.h - images/index.json: which images there are and what they are called. It is an OCI
 * image index; each entry names a manifest, with annotations: org.opencontainers.image.ref.name
 * (the full reference; absent: the image is dangling), org.holm.image.id (digest of its config,
 * which saves reading the manifest) and org.holm.image.source (the digest the registry gave for
 * the name, that of an index for an image of several platforms).
 * Readers take no lock: the file is replaced in one step. Writers hold the lock on images/. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shape.h"

struct err;
struct store;

struct storage_entry {
	char *reference; /* "docker.io/library/busybox:latest"; NULL: dangling */
	char *digest;    /* of the manifest */
	int64_t size;    /* of the manifest, bytes */
	char *media_type;
	char *id;     /* "sha256:...": digest of the config, the image id as in Docker */
	char *source; /* the digest it was pulled by; NULL: loaded or imported */
};

struct storage_index {
	SHAPE_LIST_OF(struct storage_entry) entries;
};

/* The caller clears. No file: no images. */
int storage_index_read(struct storage_index *to, const struct store *store, struct err *e);
void storage_index_clear(struct storage_index *index);

/* By full reference "domain/path:tag", or by "domain/path@sha256:..." (the manifest's digest or
 * the one it was pulled by, of an entry of that repository). Borrowed; NULL: none. */
const struct storage_entry *storage_index_find(const struct storage_index *index,
					       const char *reference);

/* By the beginning of the id's or the manifest digest's hex, with or without "sha256:". *ret NULL:
 * none; ERR_INVALID: it fits several images. */
int storage_index_find_id(const struct storage_index *index, const char *prefix,
			  const struct storage_entry **ret, struct err *e);

/* Adds the image, whose manifest is stored, under entry->reference (NULL: dangling). The name is
 * taken from whatever image had it, which stays, dangling if it has no other. */
int storage_index_add(const struct store *store, const struct storage_entry *entry, struct err *e);

/* One more name for the image with this manifest digest; ERR_NOT_FOUND. */
int storage_index_tag(const struct store *store, const char *digest, const char *reference,
		      struct err *e);

/* Takes the name away; with keep the image stays, dangling, if that was its last name. *left: how
 * many entries the image still has. ERR_NOT_FOUND. */
int storage_index_untag(const struct store *store, const char *reference, bool keep, size_t *left,
			struct err *e);

/* Takes away every entry with this manifest digest. ERR_NOT_FOUND. */
int storage_index_remove(const struct store *store, const char *digest, struct err *e);

/* Writes it anew where it is damaged: from the copy that every change leaves beside it, and from
 * the blobs, whose images have no names then. *ret_count: how many entries it has. */
int storage_index_rebuild(const struct store *store, size_t *ret_count, struct err *e);

/* Is the file gone although there were images? */
bool storage_index_is_lost(const struct store *store);
