/* registry.h - a registry after distribution-spec v1.1, as far as pulling goes: manifests and
 * blobs of one repository, with login, retries and resumption. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/str.h"
#include "oci/image.h"
#include "storage/pack.h"

struct err;
struct image_auth;
struct image_http;
struct image_registry;

enum {
	IMAGE_REGISTRY_TRIES = 5,
	/* A try that brought this much does not count: large layers over bad lines get there. */
	IMAGE_REGISTRY_PROGRESS = 1 << 20,
};

/* Where to ask, and as whom. */
struct image_repository {
	const char *host;            /* "ghcr.io", "localhost:5000" */
	const char *path;            /* "library/nginx" */
	bool insecure;               /* configured: plain HTTP and unknown certificates are taken */
	const char *ca, *cert, *key; /* of certs.h, or NULL */
	const struct image_auth *auth; /* NULL: nobody */
};

/* All text is copied. Nothing is asked yet. */
struct image_registry *image_registry_new(const struct image_repository *repository);
void image_registry_free(struct image_registry *registry);
OWN_DEFINE(image_registry_free, struct image_registry *)

/* A connection for one thread; several may ask one registry at the same time. */
struct image_http *image_registry_connect(const struct image_registry *registry);

struct image_document {
	struct str text;
	char *media_type; /* of the Content-Type; may be NULL */
	char digest[DIGEST_TEXT_SIZE];
};
void image_document_clear(struct image_document *document);

/* The manifest or index that target, a tag or a digest, names; at most 4 MiB. Its digest is
 * computed, and compared with target and with what the registry says. ERR_NOT_FOUND. */
int image_registry_manifest(struct image_registry *registry, struct image_http *http,
			    const char *target, struct image_document *ret, struct err *e);

/* What a blob's bytes go to. write() gets them in order, from offset on, each once, over all
 * tries. retry() says that a try failed with e, and another follows; may be NULL. */
struct image_blob_sink {
	struct byte_sink bytes;
	void (*retry)(void *context, const struct err *e);
	void *context;
};

/* Bytes offset to the end of a blob. The digest is the sink's to check; more bytes than the
 * descriptor says are ERR_CORRUPT. A descriptor with urls (a foreign layer) is asked for there
 * if the registry does not have it. */
int image_registry_blob(struct image_registry *registry, struct image_http *http,
			const struct oci_descriptor *descriptor, int64_t offset,
			const struct image_blob_sink *sink, struct err *e);
