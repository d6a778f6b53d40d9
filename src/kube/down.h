/* down.h - `holm kube down`: what was made of the objects of a file goes. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct engine;
struct err;
struct kube_set;

struct kube_removed {
	struct strv stopped, removed; /* ids of pods */
	struct strv secrets, volumes;
};
void kube_down_removed_clear(struct kube_removed *removed);

/* Removes the pods that the objects at place stand for, their own volumes, and Secrets; with force
 * the volumes of claims, too. What is not there is no error. */
int kube_down(struct engine *engine, const char *place, bool force, struct kube_removed *removed,
	      struct err *e);
int kube_down_set(struct engine *engine, const struct kube_set *set, bool force,
		  struct kube_removed *removed, struct err *e);
