/* places.h - the lowest folder of a RUN: places for what is mounted in its container, so that none
 * of them is in the layer. */
#pragma once

struct err;
struct layer_writer;
struct store;
struct strv;

/* Makes it. folders and files: more of them, absolute paths; may be NULL. The caller ends *ret. */
int build_places_make(struct layer_writer *ret, const struct store *store,
		      const struct strv *folders, const struct strv *files, struct err *e);
