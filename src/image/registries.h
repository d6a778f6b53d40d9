/* registries.h - registries.conf version 2 (containers-registries.conf(5)): where the repositories
 * of a name are, and what a short name means. Reads files; asks no network. Linked into holm, too,
 * which looks up by the same names what it has. */
#pragma once
#include "base/own.h"
#include "base/shape.h"
#include "image/reference.h"

struct err;
struct image_registries;

enum image_short_names {
	IMAGE_SHORT_NAMES_PERMISSIVE, /* ask where there is a terminal, else try all */
	IMAGE_SHORT_NAMES_ENFORCING,  /* ask where there is a terminal, else fail */
	IMAGE_SHORT_NAMES_DISABLED,   /* try all */
};

struct image_references {
	SHAPE_LIST_OF(struct image_reference) items;
};
void image_registries_clear_references(struct image_references *references);

struct image_endpoint {
	char *host;    /* "ghcr.io", "localhost:5000" */
	char *path;    /* "library/nginx" */
	bool insecure; /* plain HTTP and unknown certificates are taken */
	bool mirror;
};

struct image_endpoints {
	SHAPE_LIST_OF(struct image_endpoint) items; /* in the order to try them */
};
void image_registries_clear_endpoints(struct image_endpoints *endpoints);

/* Reads $CONTAINERS_REGISTRIES_CONF, or the user's file, or /etc/containers/registries.conf, and
 * the folders registries.conf.d. No file at all is no error. The caller frees *ret. */
int image_registries_load(struct image_registries **ret, struct err *e);
void image_registries_free(struct image_registries *registries);
OWN_DEFINE(image_registries_free, struct image_registries *)

/* An empty set, and one more file's text on top of it: for image_registries_load() and tests. */
struct image_registries *image_registries_new(void);
int image_registries_add(struct image_registries *registries, const char *text, size_t length,
			 const char *what, struct err *e);

enum image_short_names image_registries_short_names(const struct image_registries *registries);

/* What ref may mean: itself if it names a registry; else its alias; else one for each of
 * unqualified-search-registries; else, as nothing says otherwise, docker.io. *ret is the caller's
 * (image_registries_clear_references). ERR_NOT_FOUND if the list is there and empty. */
int image_registries_expand(const struct image_registries *registries,
			    const struct image_reference *ref, struct image_references *ret,
			    struct err *e);

/* The places to ask for a full reference. *ret is the caller's. ERR_PERMISSION if it is blocked. */
int image_registries_endpoints(const struct image_registries *registries,
			       const struct image_reference *ref, struct image_endpoints *ret,
			       struct err *e);
