/* save_format.h - the formats of save.h, and what they share; for save.c and them alone. */
#pragma once
#include <stdint.h>

#include "base/shape.h"
#include "storage/image.h"

struct err;
struct image_output;
struct image_save;

struct image_saved {
	struct storage_image image;
	char *media_type;       /* of the manifest */
	int64_t size;           /* of the manifest */
	struct strv references; /* full names */
};

struct image_saved_list {
	SHAPE_LIST_OF(struct image_saved) items;
	struct oci_descriptor whole; /* the list that names them; without a digest: none */
};

/* A blob of the store as it is under this name, unless that is there already. */
int image_save_blob(const struct image_save *save, struct image_output *output, const char *digest,
		    const char *name, struct err *e);

int image_save_oci(const struct image_save *save, const struct image_saved_list *list,
		   struct image_output *output, struct err *e);
int image_save_folder(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e);
int image_save_docker(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e);
