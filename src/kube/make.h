/* make.h - the parts of a plan, made one by one; what was made new is noted, to be taken back. */
#pragma once
#include "kube/plan.h"

struct container;
struct engine;
struct err;

struct kube_made {
	struct strv secrets, volumes, pods;
};

int kube_make_secret(struct kube_made *made, struct engine *engine,
		     const struct kube_plan_secret *secret, const char *pod, bool replace,
		     struct err *e);
/* A claim that is there stays as it is; a pod's own volume that an earlier one left goes. */
int kube_make_claim(struct kube_made *made, struct engine *engine,
		    const struct kube_plan_volume *volume, struct err *e);
int kube_make_volume(struct kube_made *made, struct engine *engine, const struct container *pod,
		     const struct kube_plan_volume *volume, struct err *e);
int kube_make_path(const struct kube_plan_path *path, const char *file, struct err *e);
int kube_make_part(struct kube_made *made, struct engine *engine, const struct container *pod,
		   const struct kube_plan_part *part, struct err *e);

/* Newest first. What cannot be removed is told in a warning. */
void kube_make_undo(struct kube_made *made, struct engine *engine);
