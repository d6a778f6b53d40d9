#include "build/source.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/tree.h"

void build_source_close(struct build_source *source)
{
	own_fd_call(&source->fd);
	*source = (struct build_source)BUILD_SOURCE_NONE;
}

static int open_context(struct build_source *ret, const struct build_step *step, struct err *e)
{
	const struct build_context *context = &step->build->context;

	if (context->fd < 0) {
		err_set(e, ERR_NOT_FOUND, "there is no context to copy from");
		return err_hint(e, "name a folder: holm build -f - .");
	}
	ret->fd = fcntl(context->fd, F_DUPFD_CLOEXEC, 3);
	ret->ignore = &context->ignore;
	return ret->fd < 0 ? err_sys(e, "open the context") : 0;
}

static int open_image(struct build_source *ret, const struct build_step *step, const char *name,
		      struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = {
		.name = name,
		.platform = step->build->o->platform,
		.quiet = step->build->o->quiet,
	};

	int r = engine_image_resolve(step->build->engine, &request, &found, &image, e);
	if (r == 0)
		ret->fd = engine_tree_open_image(step->build->engine, &found.layers, e);
	shape_clear(&container_image_shape, &found);
	return r < 0 ? r : ret->fd < 0 ? ret->fd : 0;
}

int build_source_open(struct build_source *ret, const struct build_step *step, const char *from,
		      struct err *e)
{
	const struct build *build = step->build;

	if (!from)
		return open_context(ret, step, e);
	ret->owners = true;
	int stage = build_stage_find(&build->stages, from, step->stage);
	if (stage < 0)
		return open_image(ret, step, from, e);
	ret->fd = build_step_open_root(build, &build->states[stage], -1, e);
	return ret->fd < 0 ? ret->fd : 0;
}
