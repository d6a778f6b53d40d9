#include "build/source.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "build/base.h"
#include "build/build.h"
#include "build/pull.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/tree.h"

void build_source_close(struct build_source *source)
{
	own_fd_call(&source->fd);
	strv_clear(&source->layers);
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
	ret->stays = context->stays;
	return ret->fd < 0 ? err_sys(e, "open the context") : 0;
}

static int open_image(struct build_source *ret, const struct build_step *step, const char *name,
		      struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const char *platform = build_target_of(step->build, step->stage)->platform;
	const char *digest = build_base_find(step->build, name, platform);
	const struct image_request request = {
		.name = digest ? digest : name,
		.platform = platform,
		.quiet = step->build->o->quiet,
	};

	int r = build_pull(step->build, &request, &found, &image, e);
	if (r == 0)
		ret->fd = engine_tree_open_image(step->build->engine, &found.layers, e);
	strv_add_all(&ret->layers, &found.layers);
	shape_clear(&container_image_shape, &found);
	return r < 0 ? r : ret->fd < 0 ? ret->fd : 0;
}

/* --build-context NAME=...: what stands behind it, borrowed; NULL: nobody said one. */
static const char *named_context(const struct build_options *o, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = o->build_context.count; i-- > 0;) {
		const char *text = o->build_context.items[i];
		if (strncasecmp(text, name, length) == 0 && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

static const char scheme[] = "docker-image://";

const char *build_source_image(const struct build_options *o, const char *name)
{
	const char *named = named_context(o, name);

	return named && str_starts(named, scheme) ? named + strlen(scheme) : name;
}

bool build_source_is_folder(const struct build_options *o, const char *name)
{
	const char *named = named_context(o, name);

	return named && !str_starts(named, scheme);
}

static int open_folder(struct build_source *ret, const char *path, struct err *e)
{
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret->owners = false;
	ret->stays = true;
	return ret->fd < 0 ? err_sys(e, "the context %s", path) : 0;
}

int build_source_open(struct build_source *ret, const struct build_step *step, const char *from,
		      struct err *e)
{
	struct build *build = step->build;

	if (!from)
		return open_context(ret, step, e);
	const char *named = named_context(build->o, from);
	if (build_source_is_folder(build->o, from))
		return open_folder(ret, named, e);
	ret->owners = true;
	if (named)
		return open_image(ret, step, build_source_image(build->o, from), e);
	int stage = build_stage_find(&build->stages, from, step->stage);
	if (stage < 0) {
		int r = build_stage_check(&build->stages, from, step->stage, e);
		return r < 0 ? r : open_image(ret, step, from, e);
	}
	const struct build_state *state = &build->states[stage];
	if (!state->key) { /* not done, as no instruction of the file names it */
		err_set(e, ERR_STATE, "the stage %s is not built", from);
		return err_hint(e, "only a trigger of the base (ONBUILD) names it: let the stage "
				   "itself have a COPY --from of it");
	}
	for (size_t i = 0; i < state->layers.count; i++)
		strv_add(&ret->layers, state->layers.items[i].name);
	ret->fd = build_step_open_root(build, state, -1, e);
	return ret->fd < 0 ? ret->fd : 0;
}
