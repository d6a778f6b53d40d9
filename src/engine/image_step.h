/* image_step.h - "IMAGE@STEP": what an image was after one of the steps that it was built by
 * (storage/stages.h). STEP is the number of its line in `history`, from below; of another stage
 * "STAGE/NUMBER", or "STAGE": after its last; or the beginning of the step's id. It becomes an
 * image of its own when somebody asks for it, in no list: a container or a new name keeps it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "storage/image.h"
#include "storage/stages.h"

struct engine;
struct err;

/* Is this name of that form? ("busybox@sha256:..." is not.) */
bool engine_image_step_is(const char *name);

/* The caller clears *ret. ERR_NOT_FOUND: with a hint, which steps there are. */
int engine_image_step_find(struct engine *engine, const char *name, struct storage_image *ret,
			   struct err *e);

/* Makes it an image of this full name. *ret_id (may be NULL) is the caller's. */
int engine_image_step_tag(struct engine *engine, const char *name, const char *reference,
			  char **ret_id, struct err *e);

/* How the image that has this name came about, one of its steps or all of it: true if that is
 * known; then the stage's number is in *ret_stage, and the caller clears *ret. */
bool engine_image_step_stages(struct engine *engine, const char *name, struct storage_stages *ret,
			      size_t *ret_stage);
