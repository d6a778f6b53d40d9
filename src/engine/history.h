/* history.h - how an image came about, and of which layers it is: `history` and `image tree`. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/shape.h"

struct engine;
struct err;

/* One step, newest first. The strings are the image's own words: hostile. */
struct history_step {
	char *id;   /* of the image that it is; NULL: not known */
	char *step; /* what holm run IMAGE@STEP calls it; NULL: it cannot be started */
	char *created_by;
	char *comment;
	int64_t created_ns; /* 0: not said */
	uint64_t bytes;     /* of the files of its layer; 0: it has none */
};

struct engine_history {
	SHAPE_LIST_OF(struct history_step) steps;
};

/* platform: NULL, or which image of several. ERR_NOT_FOUND. The caller ends *ret with
 * engine_history_clear(). */
int engine_history_read(struct engine *engine, const char *name, const char *platform,
			struct engine_history *ret, struct err *e);
void engine_history_clear(struct engine_history *history);

/* One layer of an image, lowest first. */
struct history_layer {
	char *hex; /* of the diff id */
	uint64_t bytes;
	struct strv top_of; /* names (or ids) of the images it is the topmost layer of */
	size_t depth;       /* below how many layers of the tree it hangs */
};

struct history_tree {
	char *id;
	struct strv references;
	uint64_t bytes;
	SHAPE_LIST_OF(struct history_layer) layers;
};

/* The image's layers; with children instead the layers of all images that were made on top of it,
 * each after the one below it. */
int engine_history_tree(struct engine *engine, const char *name, bool children,
			struct history_tree *ret, struct err *e);
void engine_history_tree_clear(struct history_tree *tree);
