/* squash.h - several layers of an overlay as one: what lies in an upper layer hides what lies below
 * it, whiteouts and opaque folders stay for what is below all of them. Layers are what containers
 * wrote: everything goes by descriptors, no link is followed. */
#pragma once
#include <stdbool.h>

struct copy_options;
struct err;

struct squash_options {
	/* how files are copied; NULL: they are hard links to those of the layer, which never
	 * change, with the same owners */
	const struct copy_options *copy;
	bool lowest;   /* nothing will be below: what only hides is left out */
	bool redirect; /* copies have their bytes in the layer still (copy.h, "redirect") */
};

/* Puts the layer in the folder layer_fd on top of those that are in to_fd already, which begins
 * empty. Both are readable folders, on one filesystem where files are linked. */
int storage_squash_add(int to_fd, int layer_fd, const struct squash_options *options,
		       struct err *e);
