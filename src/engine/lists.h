/* lists.h - lists of manifests (storage/list.h) as the images that they are to people: found by
 * name or id, tagged, removed. The id of one is the digest that a registry would give it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/digest.h"
#include "oci/image.h"

struct engine;
struct engine_rows;
struct err;
struct storage_entry;
struct strv;

struct engine_list {
	char *name; /* in full */
	char digest[DIGEST_TEXT_SIZE];
	struct oci_index index;
	int64_t changed_ns;
};

struct engine_lists {
	struct engine_list *items;
	size_t count;
};

/* All of them; one that cannot be read is left out with a warning. The caller clears. */
int engine_lists_read(struct engine *engine, struct engine_lists *ret, struct err *e);
void engine_lists_clear(struct engine_lists *lists);
void engine_lists_clear_one(struct engine_list *list);

/* By name or by the beginning of its id. ERR_NOT_FOUND. The caller clears. */
int engine_lists_find(struct engine *engine, const char *name, struct engine_list *ret,
		      struct err *e);

bool engine_lists_name(const struct engine_list *list, const char *digest);

/* The same list under one more name, which is a full reference. */
int engine_lists_tag(struct engine *engine, const char *name, const char *more, struct err *e);

/* Takes a name away (by an id all of them: with several, force is needed), and with its last name
 * the list and those of its images that have none and that nothing else needs. *done gets
 * "Untagged: ..." and "Deleted: ...". The bytes are still there: the caller collects. */
int engine_lists_remove(struct engine *engine, const char *name, bool force, struct strv *done,
			struct err *e);

/* Takes the image for a platform out of the list, and removes it if it has no name and nothing else
 * needs it. The last one takes the list along. */
int engine_lists_remove_platform(struct engine *engine, const char *name, const char *platform,
				 struct strv *done, struct err *e);
