/* state.h - an image in the making: what its stage has come to after some step. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "oci/digest.h"
#include "oci/image.h"
#include "storage/stages.h"

struct err;
struct store;

struct build_layer {
	char *name;     /* of its folder in layers/: a diff id's hex, or ".new-..." */
	char *key;      /* of the step that made it; NULL: of the base */
	char *portable; /* that key as another store would have it, see struct build_state */
	bool imported;  /* it came from another cache */
	char *text;     /* the instruction */
	uint64_t size;
	uint64_t entries;
};

struct build_state {
	char *parent; /* digest of the base's manifest; NULL: from scratch */
	char *name;   /* what the base is called */
	struct oci_image_config config;
	SHAPE_LIST_OF(struct build_layer) layers; /* lowest first; the base's, then the steps' */
	SHAPE_LIST_OF(struct storage_step) steps; /* what it was like after each; ids not yet */
	struct strv args;                         /* ARGs with a value: "NAME=value" */
	char *key;                                /* "sha256:...": all that its files come from */
	char *portable;   /* the same, but that layers of other caches count as what they say they
			 * are: to ask such a cache, and to write one; never for this store's */
	int64_t time_s;   /* of its files */
	bool command_set; /* by a CMD of this very stage: no part of what goes to others */
};

void build_state_clear(struct build_state *state);
void build_state_layer_clear(struct build_layer *layer);
void build_state_copy(struct build_state *to, const struct build_state *from);

/* As JSON, the caller's; and back into a zeroed one. */
struct json_object *build_state_write(const struct build_state *state);
int build_state_read(struct build_state *to, struct json_object *object, struct err *e);

/* Is the layer one that this build has made, no part of the store yet? */
bool build_state_is_fresh(const struct build_layer *layer);

/* Where the files of a layer are, by its name, absolute. The caller frees. */
char *build_state_folder(const struct store *store, const char *name);

/* The folders, lowest first, absolute. */
void build_state_folders(struct strv *to, const struct build_state *state,
			 const struct store *store);

/* One more line of the image's history. */
void build_state_history(struct build_state *state, const char *text, bool empty_layer);
