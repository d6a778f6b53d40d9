/* images.h - a row of `holm images`, for the others that list images. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct engine_images_row;
struct json_object;

/* Docker's members: Repository, Tag, ID, Digest, CreatedAt, CreatedSince, Size... full: the whole
 * id. The caller's (json_object_put). */
struct json_object *cli_images_row(const struct engine_images_row *image, bool full, int64_t now);
