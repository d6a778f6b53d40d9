/* save.h - images out of the store, for other programs: an OCI layout (a folder or a tar of it),
 * or the archive docker load reads. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;
struct image_invocation;
struct oci_platform;
struct store;

enum image_save_format {
	IMAGE_SAVE_DOCKER_ARCHIVE,
	IMAGE_SAVE_OCI_ARCHIVE,
	IMAGE_SAVE_OCI_FOLDER,
	IMAGE_SAVE_FOLDER, /* skopeo's "dir:": one image's manifest and blobs, side by side */
};

struct image_save {
	const struct store *store;
	enum image_save_format format;
	const char *path; /* "-": stdout; of a folder: not there, or empty */
	char **names;     /* as people type them */
	size_t count;
	const char *as; /* the name there, instead of the one here; NULL: as it is */
	const struct oci_platform *platform; /* which image of a list of manifests */
	bool list; /* the name is the digest of a list among the blobs: it and all its images */
};

/* Said before anything is brought: a folder has to be empty. */
int image_save_check(const struct image_save *save, struct err *e);

/* On failure no file of that name appears. ERR_EXISTS for a folder that is not empty. */
int image_save(const struct image_save *save, struct err *e);

/* Verb "save": docker-archive|oci-archive|oci-dir|dir, the path or "-", then names. */
int image_save_verb(const struct image_invocation *invocation, struct err *e);
