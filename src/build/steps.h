/* steps.h - what `holm run IMAGE@STEP` starts: how each stage was configured after each of its
 * steps, kept beside the image (storage/stages.h). */
#pragma once
#include <stddef.h>

struct build;
struct build_state;
struct build_target;
struct err;
struct strv;

/* The state is one that somebody may want back: its base, or what an instruction came to. */
void build_steps_note(struct build_state *state);

/* The diff ids of all layers that the state has, lowest first. A folder without a name counts by
 * the name that the cache has for it. */
void build_steps_layers(struct strv *to, const struct build *build,
			const struct build_state *state);

/* The id of the image that the stage is after its last step, once the layers have names. The caller
 * frees. */
char *build_steps_id(const struct build *build, size_t stage);

/* Once the layers have names: for the image with this id. */
int build_steps_keep(struct build *build, const struct build_target *target, const char *id,
		     struct err *e);
