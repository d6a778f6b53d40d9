/* image.h - from what a person calls an image to the stored one: found, or brought by holm-image,
 * or, for busybox, taken from the archive that is shipped with holm. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"
#include "storage/image.h"

struct engine;
struct err;
struct storage_entry;

enum engine_pull { ENGINE_PULL_MISSING, ENGINE_PULL_ALWAYS, ENGINE_PULL_NEVER };

struct image_request {
	const char *name; /* any source: a reference, an id, "dir:/tree", "template:..." */
	enum engine_pull pull;
	const char *platform; /* NULL: this machine's */
	const char *mirror;   /* of a template; NULL: the host's */
	bool quiet;
	/* Called before anything is brought from elsewhere, if not NULL: a command that cannot
	 * work must not pull first. */
	int (*check)(const void *arg, struct err *e);
	const void *arg;
};

/* Finds or brings it. The caller holds the shared lock on the layers until its record names them,
 * and clears both results. ERR_NOT_FOUND. */
int engine_image_resolve(struct engine *engine, const struct image_request *request,
			 struct container_image *ret, struct storage_image *ret_image,
			 struct err *e);

/* Looks only; ERR_NOT_FOUND. ret_reference (may be NULL) is the stored name or NULL; the
 * caller frees it. */
int engine_image_find(struct engine *engine, const char *name, struct storage_image *ret_image,
		      char **ret_reference, struct err *e);

/* The same for a platform (NULL: as above); of one image that is for another ERR_NOT_FOUND, too. */
int engine_image_find_for(struct engine *engine, const char *name, const char *platform,
			  struct storage_image *ret_image, char **ret_reference, struct err *e);

/* Brings again what the store lacks of this image: by its digest from the registry it came from,
 * or, for busybox, from the archive that is shipped with holm. platform: "linux/amd64", NULL: this
 * machine's. ERR_NOT_FOUND: it came from elsewhere. */
int engine_image_fetch_again(struct engine *engine, const struct storage_entry *entry,
			     const char *platform, struct err *e);
