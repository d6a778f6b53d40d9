/* source.h - where the objects of a file come from. */
#pragma once

struct engine;
struct err;
struct kube_set;

/* Adds what is at place: a file, "-" (standard input), http:// or https://. ERR_INVALID. */
int kube_source_add(struct kube_set *set, const struct engine *engine, const char *place,
		    struct err *e);
