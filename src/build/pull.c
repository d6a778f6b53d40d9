#include "build/pull.h"

#include "build/child.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/image.h"

static void forget(struct container_image *found, struct storage_image *image)
{
	shape_clear(&container_image_shape, found);
	storage_image_clear(image);
	*found = (struct container_image){ 0 };
	*image = (struct storage_image){ 0 };
}

static int bring(const struct build *build, const void *context, char answer[IMAGE_DIGEST_SIZE],
		 struct err *e)
{
	struct container_image found = { 0 };
	struct storage_image image = { 0 };

	(void)answer;
	return engine_image_resolve(build->engine, context, &found, &image, e);
}

int build_pull(const struct build *build, const struct image_request *request,
	       struct container_image *ret, struct storage_image *ret_image, struct err *e)
{
	struct image_request here = *request;

	here.pull = ENGINE_PULL_NEVER;
	if (request->pull != ENGINE_PULL_ALWAYS &&
	    engine_image_resolve(build->engine, &here, ret, ret_image, e) == 0)
		return 0;
	forget(ret, ret_image);
	int r = build_child_run(build, "the pull", bring, request, NULL, e);
	here.pull = ENGINE_PULL_MISSING;
	return r < 0 ? r : engine_image_resolve(build->engine, &here, ret, ret_image, e);
}
