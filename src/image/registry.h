/* registry.h - a registry after distribution-spec v1.1: manifests and blobs of one repository, with
 * login, retries and resumption. What writes is in upload.h. */
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
struct image_http_request;
struct image_http_response;
struct image_registry;
struct strv;

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
	const struct image_auth *auth;  /* NULL: nobody */
	bool push;                      /* a token must allow writing */
	const struct strv *mounts_from; /* and reading these other repositories; may be NULL */
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

/* ---- for upload.c and others that ask for more ---- */

/* "https://host": where it answers, found out by the first who asks. Borrowed. */
int image_registry_base(const char **ret, struct image_registry *registry, struct image_http *http,
			struct err *e);
const char *image_registry_host(const struct image_registry *registry);
const char *image_registry_path(const struct image_registry *registry);

/* One try of a request, with an answer to the registry's challenge; another status than 200 or 206
 * (of a request with a method: 200 to 299) is an error, with what the registry says. The caller
 * clears *response in any case. */
int image_registry_try(struct image_registry *registry, struct image_http *http,
		       struct image_http_request *request, struct image_http_response *response,
		       struct err *e);

/* Is it the network, or a registry that has too much to do? Then wait, the longer the later the
 * attempt (from 1 on). */
bool image_registry_worth_another(const struct err *e, const struct image_http_response *response);
void image_registry_pause(int attempt, int retry_after_s);

/* A GET of an address below the base ("/v2/..."), small: at most 4 MiB, with retries. */
int image_registry_get(struct image_registry *registry, struct image_http *http, const char *path,
		       struct str *to, struct err *e);
