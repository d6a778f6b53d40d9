/* pod.h - containers that share namespaces. A pod is a container, too: a process that sleeps, with
 * hardly anything around it, so that the namespaces it holds outlive each of the others. It has its
 * record, name, lock and end like any (decision 0027); what is more of it, is here. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct create_options;
struct engine;
struct err;

/* Is c a pod, rather than one of its containers or in none? */
bool engine_pod_is(const struct container *c);

/* The record of the pod with this name or id, which the caller clears. ERR_NOT_FOUND. */
int engine_pod_load(struct engine *engine, const char *name, struct container *ret, struct err *e);

/* With --pod: the namespaces that the pod shares become c's. *ret_lock is what keeps the pod from
 * being removed until c's record is on disk, the caller's; -1: no pod. ERR_INVALID: an option that
 * says otherwise. */
int engine_pod_join(int *ret_lock, struct engine *engine, const struct create_options *o,
		    struct container *c, struct err *e);

/* Makes c, that has its id, a pod. */
void engine_pod_make(struct container *c, const struct create_options *o);

/* Before a container of a pod is started: starts the pod where it does not run. */
int engine_pod_start(struct engine *engine, const struct container *c, struct err *e);

/* ERR_STATE if c is a pod with containers. */
int engine_pod_check_empty(struct engine *engine, const struct container *c, struct err *e);
