/* fetch.h - one layer from a registry, or from a member of an archive: stored and unpacked while it
 * comes. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

struct err;
struct image_http;
struct image_members;
struct image_registry;
struct image_report;
struct oci_descriptor;
struct store;

struct image_fetch {
	const struct store *store;
	struct image_report *report;
	struct image_registry *registry;
	struct image_http *http;             /* of this thread */
	const struct image_members *members; /* instead of registry and http */
	const struct oci_descriptor *descriptor;
	const char *diff_id;
	const atomic_bool *cancelled; /* another layer failed: stop at the next bytes */
};

/* Makes the blob and the layer. What an earlier try left of the blob is not asked for again; it
 * goes through the unpacking first. Returns 0, or 1 if the blob was there already: then nothing
 * was unpacked. */
int image_fetch_layer(const struct image_fetch *fetch, struct err *e);
