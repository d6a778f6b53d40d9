/* find.h - a stored image by what a person typed: a name, or the beginning of an id. */
#pragma once

struct err;
struct storage_entry;
struct storage_index;
struct store;

/* Borrowed from index. ERR_NOT_FOUND, ERR_INVALID where the id fits several. A name goes before
 * an id. */
int image_find(const struct storage_index *index, const char *name,
	       const struct storage_entry **ret, struct err *e);

/* The same, or the digest of a manifest that is stored and in no list. What *ret has is borrowed
 * from index and name. */
int image_find_stored(struct storage_entry *ret, const struct storage_index *index,
		      const struct store *store, const char *name, struct err *e);
