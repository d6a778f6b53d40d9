/* upload.h - blobs and manifests into a repository (distribution-spec v1.1, "Push"). */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct image_http;
struct image_registry;
struct oci_descriptor;
struct strv;

enum { IMAGE_UPLOAD_MOUNTS_MAX = 3 }; /* repositories that are tried for one blob */

struct image_upload {
	struct image_registry *registry;
	struct image_http *http; /* of this thread */
	const struct oci_descriptor *descriptor;
	int fd; /* the blob's bytes, from its beginning; -1: it is not here */
	/* With fd -1: brings the bytes here, once it is known that they have to travel, and returns
	 * a descriptor, which is closed here. NULL: nobody could. */
	int (*bring)(void *context, struct err *e);
	int64_t chunk;                /* bytes of one request, at most; 0: all that is missing */
	const struct strv *from;      /* repositories of this registry that may have it */
	const atomic_bool *cancelled; /* another blob failed: stop at the next bytes */

	/* How far it is, and that a try failed with e and another follows. */
	void (*moved)(void *context, int64_t done);
	void (*retry)(void *context, const struct err *e);
	void *context;
};

enum image_upload_end {
	IMAGE_UPLOAD_EXISTED, /* the repository has it */
	IMAGE_UPLOAD_MOUNTED, /* from another repository of the registry: *from says which */
	IMAGE_UPLOAD_SENT,
};

/* Brings one blob there. Returns how it went; *from is borrowed from upload->from. A transfer that
 * breaks goes on where the registry says it is, or begins anew; tries are counted as in
 * image_registry_blob(). */
int image_upload_blob(const struct image_upload *upload, const char **from, struct err *e);

/* Puts a manifest or an index there under target, a tag or its digest. With retries. */
int image_upload_manifest(struct image_registry *registry, struct image_http *http,
			  const char *target, const char *media_type, const char *text,
			  size_t length, struct err *e);
