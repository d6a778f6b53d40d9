/* pull.h - images that stages stand on or take files from. */
#pragma once

struct build;
struct container_image;
struct err;
struct image_request;
struct storage_image;

/* engine_image_resolve() that a ctrl-C ends in order: what has to be brought is brought by a child,
 * which holds nothing that the build has to put away. ERR_STATE: interrupted. */
int build_pull(const struct build *build, const struct image_request *request,
	       struct container_image *ret, struct storage_image *ret_image, struct err *e);
