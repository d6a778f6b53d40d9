/* wait.h - until what was played has ended, or somebody wants it to. */
#pragma once
struct engine;
struct err;
struct kube_report;

/* Returns when no container of the report runs any more, or with SIGINT or SIGTERM. */
int kube_wait(struct engine *engine, const struct kube_report *report, struct err *e);
