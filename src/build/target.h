/* target.h - what a build makes: an image for each platform of --platform, or for this machine.
 * Each has variables and a plan of the stages of its own; all plans are one graph (stage.h). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct build;
struct err;

struct build_target {
	char *platform;            /* as given; NULL: this machine's */
	struct strv global_args;   /* before the first FROM: "NAME=value" */
	struct strv platform_args; /* TARGETARCH=amd64... */
	size_t stage;              /* that becomes the image */
};

void build_target_clear(struct build_target *target);

/* --platform taken apart: build->targets. ERR_INVALID. */
int build_targets_read(struct build *build, struct err *e);

/* Their variables and plans, once the Dockerfile has been read. */
int build_targets_plan(struct build *build, struct err *e);

bool build_targets_are_several(const struct build *build);

/* Whose stage this is. */
const struct build_target *build_target_of(const struct build *build, size_t stage);
