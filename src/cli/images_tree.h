/* images_tree.h - `images --tree`: each image with the platforms that it is for. */
#pragma once
struct engine;
struct engine_images;
struct engine_images_row;
struct err;
struct json_object;

/* Adds the lines of one image to rows. all: where the images of a list are looked for. */
int cli_images_tree_add(struct engine *engine, struct json_object *rows,
			const struct engine_images *all, const struct engine_images_row *image,
			struct err *e);

int cli_images_tree_print(struct json_object *rows, struct err *e);
