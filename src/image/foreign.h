/* foreign.h - images and volumes out of the folders of docker (data-root, overlay2 or vfs) and of
 * podman (containers/storage, overlay or vfs), without their programs. A layer becomes the tar it
 * came from again (tar_split.h), has its digest checked, and is unpacked as any other: nothing of a
 * foreign store is trusted, nothing is shared with it, and it is only read. */
#pragma once
#include "base/shape.h"

struct err;
struct image_invocation;

/* Verb "foreign": docker|podman, the folder, and "images", "volumes" or "all". What cannot be taken
 * is told by a note, the rest is taken all the same; then the verb fails at its end. */
int image_foreign_verb(const struct image_invocation *invocation, struct err *e);

/* ---- for the readers of the two formats ---- */

struct foreign_layer {
	char *diff_id;
	char *files; /* folder of its files, below the store */
	char *split; /* its tar-split, below the store */
};

struct foreign_image {
	char *id;           /* "sha256:...", of the config */
	struct strv names;  /* as the store has them */
	struct str *config; /* its text, whose digest was not yet looked at */
	SHAPE_LIST_OF(struct foreign_layer) layers; /* lowest first */
	struct err *failure;                        /* it cannot be taken; else NULL */
};

struct foreign_images {
	SHAPE_LIST_OF(struct foreign_image) items;
};

int image_foreign_docker(int root_fd, struct foreign_images *to, struct err *e);
int image_foreign_podman(int root_fd, struct foreign_images *to, struct err *e);

/* A new image of the list. */
struct foreign_image *image_foreign_add(struct foreign_images *to, const char *id);

/* Reads a file below the store into *to. */
int image_foreign_read(int root_fd, const char *path, size_t bytes_max, struct str *to,
		       struct err *e);

/* The config's diff ids, lowest first. */
int image_foreign_diff_ids(const struct foreign_image *image, struct strv *to, struct err *e);
