/* set.h - all objects of one or several files, each by its kind and name. */
#pragma once
#include "kube/object.h"

struct engine;
struct err;

enum { KUBE_SET_OBJECTS_MAX = 1000 };

struct kube_entry {
	struct kube_object *object;
	const char *file;
};

struct kube_known;

struct kube_set {
	struct pool pool;
	struct kube_entry *items;
	size_t count;
	struct kube_known *known; /* what data.c has read; the pool's */
};

/* Adds the objects of a text; file names it in errors. ERR_INVALID, ERR_UNSUPPORTED. */
int kube_set_add(struct kube_set *set, const char *text, size_t length, const char *file,
		 struct err *e);
void kube_set_clear(struct kube_set *set);

/* NULL: there is none. */
const struct kube_entry *kube_set_find(const struct kube_set *set, const char *kind,
				       const char *name);
