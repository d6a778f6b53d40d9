/* progress.h - what holm-image tells its parent while it works: one JSON object per line on the
 * descriptor of --progress-fd. Needed by both sides, so it needs only base.
 *
 *	{"note":"Resolving docker.io/library/nginx:latest"}
 *	{"layer":"sha256:...","state":"downloading","done":1024,"total":4096}
 *	{"image":"sha256:...","name":"docker.io/library/nginx:latest","state":"new"}
 *	{"finding":"layer 2cf2: other bytes","digest":"sha256:...","kind":"layer"}
 *	{"error":"pull nginx: ...","hint":"...","kind":"unreachable","errno":111}
 *
 * The last line is an image or an error; an end without either means that holm-image died. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/reference.h"

enum image_progress_kind {
	IMAGE_PROGRESS_NOTE,
	IMAGE_PROGRESS_LAYER,
	IMAGE_PROGRESS_IMAGE,
	IMAGE_PROGRESS_FINDING, /* of check: what is damaged; state DONE: it was mended */
	IMAGE_PROGRESS_ERROR,
};

enum image_progress_state {
	IMAGE_STATE_WAITING,
	IMAGE_STATE_DOWNLOADING, /* which includes unpacking: both run at once */
	IMAGE_STATE_RETRYING,    /* the transfer broke; text says why */
	IMAGE_STATE_UNPACKING,   /* all bytes are here, the rest is on its way to the disk */
	IMAGE_STATE_DONE,
	IMAGE_STATE_EXISTS, /* the layer was there already; or the image is unchanged */
	IMAGE_STATE_UPLOADING,
	IMAGE_STATE_PUSHED,
	IMAGE_STATE_MOUNTED, /* from another repository of the registry; text says which */
	IMAGE_STATE_NEW,     /* of an image: it was not there, or its name meant another */
	IMAGE_STATES,
};

enum { IMAGE_PROGRESS_LINE_MAX = 8192 };

struct image_progress {
	enum image_progress_kind kind;
	enum image_progress_state state; /* of a layer or an image */
	char digest[IMAGE_DIGEST_SIZE];  /* of a layer's blob; of the image: its config's digest, or
					  * of one that was pushed its manifest's; of a finding:
					  * the blob's, or the layer's diff id */
	bool is_layer;                   /* of a finding */
	int64_t done, total;             /* bytes of the blob, or of what was pushed the manifest;
					  * total -1 when not known */
	char text[512];                  /* the note; why a retry; the image's stored name or "" */
	struct err err;                  /* of an error only */
};

/* One line, closed by a newline; the caller frees. */
char *image_progress_write(const struct image_progress *progress);

/* Reads one line (without its newline). ERR_CORRUPT; unknown members are ignored. */
int image_progress_read(struct image_progress *progress, const char *line, size_t length,
			struct err *e);

/* "downloading", "exists"... */
const char *image_progress_state_name(enum image_progress_state state);
