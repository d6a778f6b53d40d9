#include "engine/diff.h"

#include "base/err.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/tree.h"

int engine_diff(struct engine *engine, const char *name, struct storage_changes *ret, struct err *e)
{
	static const struct storage_changes_options options = {
		.upper = true,
		.left_out = engine_tree_own_places,
	};
	own_clear(container_clear) struct container c = { 0 };

	int r = engine_load(engine, name, &c, NULL, e);
	if (r < 0)
		return r;
	own_fd int upper = engine_tree_open_upper(engine, &c, e);
	if (upper < 0)
		return upper;
	own_fd int layers = engine_tree_open_layers(engine, &c, e);
	return layers < 0 ? layers : storage_changes_find(ret, layers, upper, &options, e);
}
