/* images.h - the verbs on stored images, for whoever faces the person: list, tag, remove, prune.
 * (To find or bring the image of a container is engine/image.h's.) */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct engine;
struct engine_row;
struct engine_rows;
struct err;
struct prune_filter;
struct storage_entry;

struct engine_images_row {
	char *reference;    /* in full, or NULL: dangling */
	char *digest;       /* of the manifest */
	char *id;           /* "sha256:..." */
	int64_t created_ns; /* as the image says; 0: it does not */
	uint64_t bytes;     /* of its files */
	uint64_t packed;    /* of its blobs, as the manifest says */
	char *platform;     /* "linux/arm64/v8"; NULL: of a list */
	int64_t layers;
	struct strv labels; /* "key=value" */
	bool list;          /* a list of manifests; digest and id are the list's own */
	bool listed;        /* it has no name, and a list names it */
};

struct engine_images {
	struct engine_images_row *items;
	size_t count;
};

/* One row for each name, newest first; dangling ones and lists of manifests too. The caller ends
 * *ret with engine_images_clear(). An image that cannot be read is left out with a warning. */
int engine_images_list(struct engine *engine, struct engine_images *ret, struct err *e);
void engine_images_clear(struct engine_images *images);

/* One more name for an image; takes it from whatever had it. ERR_NOT_FOUND, ERR_INVALID. */
int engine_images_tag(struct engine *engine, const char *name, const char *more, struct err *e);

struct engine_images_removal {
	bool force;
	bool keep_bytes;      /* they stay until something is collected */
	const char *platform; /* of a list this image alone; of an image: it must be for that */
};

/* Takes a name away, and with its last name the image and all bytes nothing else needs; an id
 * takes all its names away (with several, force is needed). An image that a container uses stays:
 * ERR_STATE, unless force and none of these runs. One that a list of manifests names loses its
 * names alone. Lists are removed as engine/lists.h says. *done gets "Untagged: ..." and
 * "Deleted: ...". */
int engine_images_remove(struct engine *engine, const char *name,
			 const struct engine_images_removal *how, struct strv *done, struct err *e);

/* Removes what no container uses: dangling images, or with all also those that have names; of these
 * what the filter fits. *ret_bytes: what the disk got back. */
int engine_images_prune(struct engine *engine, bool all, const struct prune_filter *filter,
			struct strv *done, uint64_t *ret_bytes, struct err *e);

/* A list of manifests alone, as engine_images_remove(). */
int engine_images_remove_list(struct engine *engine, const char *name, struct strv *done,
			      struct err *e);

/* The container that uses the image, or NULL; one that runs goes before one that does not. */
const struct engine_row *engine_images_user(const struct engine_rows *rows,
					    const struct storage_entry *entry);

/* Of an image that has just been removed: the line "Deleted: ...", and the event. */
void engine_images_note_deleted(struct engine *engine, const struct storage_entry *entry,
				struct strv *done);
