#include "engine/diff.h"

#include "base/err.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/lower.h"
#include "engine/tree.h"

/* What it wrote lies in several layers, or among a copy of its image: the whole of both trees is
 * compared. */
static int compare(struct engine *engine, const char *name, struct storage_changes *ret,
		   struct err *e)
{
	static const struct storage_changes_options options = {
		.left_out = engine_tree_own_places,
	};
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;

	int r = engine_tree_open(engine, name, ENGINE_TREE_ALONE, &tree, e);
	if (r < 0)
		return r;
	own_fd int layers = engine_tree_open_layers(engine, &tree.container, true, e);
	return layers < 0 ? layers : storage_changes_find(ret, layers, tree.root_fd, &options, e);
}

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
	if (engine_lower_count_frozen(&c) || c.storage.copied)
		return compare(engine, c.id, ret, e);
	own_fd int upper = engine_tree_open_upper(engine, &c, e);
	if (upper < 0)
		return upper;
	own_fd int layers = engine_tree_open_layers(engine, &c, true, e);
	return layers < 0 ? layers : storage_changes_find(ret, layers, upper, &options, e);
}
