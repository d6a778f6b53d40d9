/* explain.h - a container as a table of primitives: whose each namespace is, which limits it has,
 * what its processes may, which filters stand around them, what is mounted; how that compares with
 * a container for which nobody said anything, and which flag made the difference. */
#pragma once
#include "base/shape.h"
#include "engine/container.h"
#include "engine/state.h"

struct engine;
struct err;

enum explain_compared {
	EXPLAIN_DEFAULT, /* as it is when nothing is said */
	EXPLAIN_WEAKER,
	EXPLAIN_TIGHTER,
	EXPLAIN_CHANGED, /* other than by default, without being either */
};

struct explain_row {
	char *group; /* "Namespaces" */
	char *primitive;
	char *value;
	enum explain_compared compared;
	char *flag; /* "--pid host": what made it so; NULL: the default */
};

struct explain_rows {
	SHAPE_LIST_OF(struct explain_row) rows;
};

void explain_make(struct explain_rows *to, struct engine *engine, const struct container *c,
		  const struct container_state *state);
void explain_clear(struct explain_rows *rows);

/* "", "weaker", "tighter", "changed" */
const char *explain_compared_name(enum explain_compared compared);

/* One row; the strings are taken over. */
void explain_add(struct explain_rows *to, const char *group, const char *primitive, char *value,
		 enum explain_compared compared, char *flag);

/* The parts of it, each in a file explain_PART.c. */
void explain_namespaces(struct explain_rows *to, struct engine *engine, const struct container *c,
			const struct container_state *state);
void explain_privileges(struct explain_rows *to, const struct container *c);
void explain_limits(struct explain_rows *to, struct engine *engine, const struct container *c,
		    const struct container_state *state);
void explain_mounts(struct explain_rows *to, const struct container *c);
