#include "build/platforms.h"

#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "build/build.h"
#include "build/publish.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/lists.h"
#include "image/command.h"
#include "storage/index.h"
#include "storage/store.h"

/* Under the full name, in the place of what had it. */
static int make_list(const struct store *store, const char *name, const struct strv *ids,
		     struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct err none;
	size_t left;

	image_command_begin(&arguments, "list", store);
	strv_add(&arguments, "--purge");
	strv_add(&arguments, "--");
	strv_add(&arguments, "create");
	strv_add(&arguments, name);
	strv_add_all(&arguments, ids);
	int r = image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r == 0)
		storage_index_untag(store, name, true, &left, &none);
	return r;
}

static size_t find_host(const struct build *build)
{
	for (size_t i = 0; i < build->targets.count; i++)
		if (oci_platform_is_host(build->targets.items[i].platform))
			return i;
	return 0;
}

int build_platforms_index(const struct build *build, const struct strv *ids,
			  char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	const struct store *store = build->engine->store;
	own_clear(strv_clear) struct strv names = { 0 };

	snprintf(ret_id, IMAGE_DIGEST_SIZE, "%s", ids->items[find_host(build)]);
	if (!build_targets_are_several(build))
		return 0;
	int r = build_publish_names(&names, build, e);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = make_list(store, names.items[i], ids, e);
	if (r < 0 || !names.count)
		return r;
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };
	r = engine_lists_find(build->engine, names.items[0], &list, e);
	if (r == 0)
		snprintf(ret_id, IMAGE_DIGEST_SIZE, "%s", list.digest);
	return r;
}
