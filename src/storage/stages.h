/* stages.h - how an image that was built here came about: stages/HEX, HEX of the image's id, with
 * the configuration after each step of each stage. It keeps no layer: those of the image are there
 * as long as the image, those of the other stages as long as the cache (steps.h). The collector
 * removes it with the image. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "oci/image.h"

struct err;
struct store;

struct storage_step {
	char *id;       /* "sha256:...", of the image that it is */
	char *image;    /* digest of that image's manifest, once somebody asked for it; or NULL */
	int64_t number; /* so many lines has the history with it */
	int64_t layers; /* and so many layers there are */
	struct oci_image_process config;
};

struct storage_stage {
	char *name;                               /* behind AS, else "stage-NUMBER" */
	struct oci_image_config config;           /* after its last step, with all its layers */
	SHAPE_LIST_OF(struct storage_step) steps; /* in order; the first is the base */
};

struct storage_stages {
	int64_t target; /* its number in items */
	SHAPE_LIST_OF(struct storage_stage) items;
};

enum { STORAGE_STAGES_BYTES_MAX = 64 << 20 };

extern const struct shape storage_stages_step_shape;
extern const struct shape storage_stages_shape;

void storage_stages_clear(struct storage_stages *stages);

/* id: of the image. ERR_NOT_FOUND: it was not built here. The caller clears. */
int storage_stages_read(struct storage_stages *to, const struct store *store, const char *id,
			struct err *e);
int storage_stages_write(const struct storage_stages *stages, const struct store *store,
			 const char *id, struct err *e);

/* The configuration after the step: all in it is borrowed from both. */
struct oci_image_config storage_stages_config(const struct storage_stage *stage,
					      const struct storage_step *step);
