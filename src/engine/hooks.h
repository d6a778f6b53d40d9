/* hooks.h - programs that are run at ten points of a container's life, which are LXC's
 * (lxc.container.conf(5), "Container hooks"): which there are, what they find, who may be one.
 * docs/decisions/0049-hooks.md. */
#pragma once
#include "engine/container.h"

struct engine;
struct err;
struct oci_spec;
struct store;

enum { ENGINE_HOOKS_TIMEOUT_S = 60 };

/* The number of a point, or -1. */
int engine_hooks_find(const char *point);

/* May they be run, as root, on the host? A program is a file that nobody else can change or put
 * another in the place of, and no container either. ERR_PERMISSION. */
int engine_hooks_check(struct engine *engine, const struct container *c, struct err *e);

/* Those of its start and its end. Pure. */
void engine_hooks_add(struct oci_spec *spec, const struct container *c, const struct store *store);

/* Those that run when it has been copied from one of this name, and before it is removed. */
int engine_hooks_clone(struct engine *engine, const struct container *c, const char *source,
		       struct err *e);
int engine_hooks_destroy(struct engine *engine, const struct container *c, struct err *e);

/* "pre-start=/a b ; stop=/c", as --hook takes it; the caller's. */
char *engine_hooks_text(const struct container *c);
