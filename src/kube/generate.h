/* generate.h - `holm kube generate`: what there is, as objects of Kubernetes. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct engine;
struct err;
struct str;

struct kube_generate_options {
	char *filename; /* for the command line */
	char *type;     /* "pod", "deployment"; NULL: pod */
	bool service;   /* and a Service, of the published ports */
};

/* Pods, containers (all that are named as one pod) and volumes. What no object can say is told in
 * a warning. ERR_NOT_FOUND. */
int kube_generate(struct str *to, struct engine *engine, const struct strv *names,
		  const struct kube_generate_options *o, struct err *e);
