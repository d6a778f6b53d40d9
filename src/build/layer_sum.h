/* layer_sum.h - the digest of what COPY and RUN --mount take (build_tree_sum). Of an image, or of a
 * stage that is all in the cache, it is remembered in $root/contexts by the names of the layers,
 * which never change: the files are read only by who copies them. Layers that this build has made
 * have no names yet, and are read. */
#pragma once
#include "storage/hash.h"

struct build_source;
struct build_tree;
struct build_tree_options;
struct err;
struct store;

/* Of what is at path in the source. *tree stays empty where the digest is known. Errors are those
 * of build_tree_read(). */
int build_layer_sum_read(unsigned char ret[STORAGE_HASH_SIZE], struct build_tree *tree,
			 const struct build_source *source, const char *path,
			 const struct build_tree_options *options, const struct store *store,
			 struct err *e);
