/* reference.h - names of images as people type them: "nginx", "ghcr.io/a/b:1@sha256:...".
 * Pure text: no network, no disk. Grammar: distribution-spec v1.1 spec.md, "Pulling manifests",
 * and of the domain that of github.com/distribution/reference. The docker.io/library defaults
 * are Docker's habit, in no specification. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	IMAGE_NAME_MAX = 255,   /* domain and path together; distribution/reference */
	IMAGE_TAG_MAX = 128,    /* distribution-spec v1.1 */
	IMAGE_DIGEST_SIZE = 72, /* "sha256:", 64 digits and the NUL */
};

struct image_reference {
	char *domain;      /* "docker.io", may end in ":port" */
	char *path;        /* "library/nginx" */
	char *tag;         /* "latest" if neither tag nor digest was given; may be NULL */
	char *digest;      /* "sha256:" and 64 lower-case hex digits, or NULL */
	bool domain_given; /* false: a short name, whose domain registries.conf may change */
};

/* Parses text and fills in the defaults. The caller ends *ref with image_reference_clear().
 * Fails, leaving *ref alone, with ERR_INVALID; the message gives the byte offset. */
int image_reference_parse(struct image_reference *ref, const char *text, struct err *e);
void image_reference_clear(struct image_reference *ref);
void image_reference_copy(struct image_reference *to, const struct image_reference *from);

/* "docker.io/library/nginx:latest", "host:5000/a@sha256:...": what index.json holds. With tag and
 * digest the tag is left out, as it says nothing any more. The caller frees. */
char *image_reference_format(const struct image_reference *ref);

/* "docker.io/library/nginx", without tag and digest. The caller frees. */
char *image_reference_name(const struct image_reference *ref);

/* What people see of a name that image_reference_format() or _name() made: without "docker.io/"
 * and "docker.io/library/". Borrowed: a place inside full. */
const char *image_reference_familiar(const char *full);

/* Is text "sha256:" and 64 lower-case hex digits, and nothing else? The only digests holm has:
 * a digest becomes a file name, so nothing else may pass. */
bool image_digest_is_valid(const char *text);
