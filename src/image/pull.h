/* pull.h - an image from a registry into the store: manifest, config, layers, name. */
#pragma once
#include <stdbool.h>

struct err;
struct image_access;
struct image_report;
struct oci_platform;
struct store;

struct image_pull {
	const struct store *store;
	struct image_report *report;
	const struct oci_platform *platform; /* which entry of an index */
	const struct image_access *access;
	bool whole;    /* see image/layers.h */
	bool all_tags; /* every tag of the repository; what is no image, or none for the platform,
			* is told and left out */
	/* of a cache of builds (cache.h): manifest and config alone; or one layer alone */
	bool documents;
	const char *key;
};

/* Pulls what text names (a short name after registries.conf), reports the image. Enters the jail
 * when all of the host's files have been read, before the first byte from outside. What breaks off
 * leaves the store as it was, and partial blobs that the next try goes on with. */
int image_pull(const struct image_pull *pull, const char *text, struct err *e);
