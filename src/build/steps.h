/* steps.h - what `holm run IMAGE@STEP` starts: how each stage was configured after each of its
 * steps, kept beside the image (storage/stages.h). */
#pragma once

struct build;
struct build_state;
struct err;

/* The state is one that somebody may want back: its base, or what an instruction came to. */
void build_steps_note(struct build_state *state);

/* Once the layers have names: for the image with this id. */
int build_steps_keep(struct build *build, const char *id, struct err *e);
