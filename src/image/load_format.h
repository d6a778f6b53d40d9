/* load_format.h - the two formats of load.h; for load.c and those who read a layout, too. */
#pragma once
#include <stdbool.h>

struct err;
struct image_load;
struct image_members;

int image_load_oci(const struct image_load *load, struct image_members *members, struct err *e);
int image_load_docker(const struct image_load *load, struct image_members *members, struct err *e);

/* What load->path is: a folder, an archive, or standard input. */
int image_load_open(const struct image_load *load, struct image_members **ret, struct err *e);

/* The full reference for what an archive calls an image; NULL if that is none. The caller frees. */
char *image_load_reference(const char *name);

/* Did the caller ask for the image of this name (NULL: it has none)? */
bool image_load_wanted(const struct image_load *load, const char *name);
