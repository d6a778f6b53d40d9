/* posture.h - named postures: how a container is held, as one word. Each is a row of choices that
 * a person could make one by one, and nothing else; what is said beside it counts more. */
#pragma once

struct create_options;
struct err;

/* What --posture of o stands for becomes options of o. ERR_INVALID. */
int engine_posture_apply(struct create_options *o, struct err *e);
