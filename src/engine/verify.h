/* verify.h - all that a start of a container would refuse, told at once and without starting it,
 * as zonecfg's verify does: one check a row of a table, each of which tells all that it finds. What
 * only the kernel knows at the moment of the mount or the exec stays the start's to tell. */
#pragma once
#include <stdbool.h>

#include "engine/engine.h"

/* Calls report for each problem. Returns how many there are, or fails: no such container. A
 * container that runs has its own ports and addresses. */
int engine_verify(struct engine *engine, const char *name, engine_report *report, void *arg,
		  struct err *e);

/* What no start could do on this host: rights that the caller has not, limits that this kernel
 * lacks. For who is about to write the record. */
int engine_verify_record(struct engine *engine, const struct container *c, struct err *e);
int engine_verify_limits(const struct container *c, struct err *e);
