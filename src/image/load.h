/* load.h - images from an OCI layout (a folder or a tar of it) or from what docker save writes,
 * into the store. Formats: image-spec v1.1 image-layout.md; for docker save there is no
 * specification: manifest.json as moby image/tarexport has it. */
#pragma once
#include <stdbool.h>

struct err;
struct image_invocation;
struct image_report;
struct oci_platform;
struct store;

enum image_load_format {
	IMAGE_LOAD_ANY, /* OCI where index.json leads somewhere, else docker's */
	IMAGE_LOAD_OCI,
	IMAGE_LOAD_DOCKER,
};

struct image_load {
	const struct store *store;
	struct image_report *report;
	const struct oci_platform *platform; /* which entry of an index */
	enum image_load_format format;
	const char *path; /* a folder, a file, or "-": stdin */
	const char *name; /* load this one alone; NULL: all */
};

/* Loads and reports each image. On failure nothing of the one that failed stays. */
int image_load(const struct image_load *load, struct err *e);

/* Does text begin with one of the transports that are loaded: "oci:", "oci-archive:" or
 * "docker-archive:"? */
bool image_load_is_source(const char *text);

/* Verb "load": one operand, a path, "-", or "oci:DIR[:NAME]", "oci-archive:FILE[:NAME]",
 * "docker-archive:FILE[:NAME]"; none is "-". */
int image_load_verb(const struct image_invocation *invocation, struct err *e);
