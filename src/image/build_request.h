/* build_request.h - what `holm build` asks of `holm-image build`: the folders that its steps wrote,
 * which become layers, and the image that is made of them. JSON in a file of memory. Also the
 * record by which the cache knows a step: $root/build/HEX, HEX of the step's key. */
#pragma once
#include "base/shape.h"
#include "image/progress.h"
#include "oci/image.h"

struct err;
struct store;

struct image_build_layer {
	char *folder;   /* ".new-..." in layers/, which becomes a layer; NULL: it is one */
	char *diff_id;  /* of one that is */
	char *key;      /* "sha256:...": of the step */
	char *portable; /* the same for other stores, see build/state.h */
	char *text;     /* the instruction, for who looks at the cache */
	bool in_image;  /* it is one of the image's; else only the cache knows it */
	bool imported;  /* it came from another cache, and its record is missing */
	uint64_t size;  /* bytes of its files */
	uint64_t entries;
};

struct image_build_request {
	char *parent;                   /* digest of the base's manifest; NULL: from scratch */
	bool image;                     /* make one; else only the layers */
	bool annotate;                  /* its layers say the steps that made them (cache.h) */
	bool unlisted;                  /* which stays out of the index: a container names it */
	struct oci_image_config config; /* with the diff ids of as many layers of the parent as
					 * the image has */
	SHAPE_LIST_OF(struct image_build_layer) layers; /* those of the image lowest first */
	struct strv references;
	struct shape_map annotations;
};

extern const struct shape image_build_request_shape;

struct image_build_record {
	struct strv layers; /* one diff id: as in a container's record, for the garbage collector */
	uint64_t size;
	char *text;
	char *created;
};

/* Has holm-image do it. Of an image the answer is its id, of an unlisted one its manifest's digest.
 * The caller holds the shared lock on the layers. */
int image_build_ask(const struct image_build_request *request, const struct store *store,
		    struct image_progress *ret, struct err *e);

#define IMAGE_BUILD_RECORDS "build"
enum { IMAGE_BUILD_RECORD_MAX = 64 << 10 };
extern const struct shape image_build_record_shape;
