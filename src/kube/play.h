/* play.h - `holm kube play`: objects of Kubernetes are made. */
#pragma once
#include "engine/engine.h"
#include "kube/plan.h"

struct err;

struct kube_report_pod {
	char *id;
	struct strv containers; /* ids, without those that run first */
};

struct kube_report {
	struct strv volumes;
	SHAPE_LIST_OF(struct kube_report_pod) pods;
};
void kube_play_report_clear(struct kube_report *report);

struct kube_play_options {
	struct kube_plan_options plan;
	struct strv configmap; /* files with ConfigMaps, also several with commas between */
	bool start;            /* counts if start_given; else on */
	bool start_given;
	bool replace; /* what an earlier call made goes first */
	bool wait;    /* it stays until it has ended, or a signal comes, and takes all away again */
	bool force;   /* with wait: the volumes of claims, too */
	void (*made)(const struct kube_report *report); /* called before it waits; may be NULL */
};

/* All of it or nothing: what was made is removed again where something cannot be made or started.
 * An init container that fails leaves all as it is, so that one can look for the reason. */
int kube_play(struct engine *engine, const char *place, const struct kube_play_options *o,
	      struct kube_report *report, struct err *e);
