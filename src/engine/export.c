#include "engine/export.h"

#include "base/err.h"
#include "base/own.h"
#include "engine/event.h"
#include "engine/stream.h"
#include "engine/tree.h"

int engine_export(struct engine *engine, const char *name, struct err *e)
{
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;

	int r = engine_tree_open(engine, name, ENGINE_TREE_ALONE, &tree, e);
	if (r < 0)
		return r;
	const struct engine_stream stream = {
		.folder_fd = tree.root_fd,
		.entry = ".",
		.name = ".",
		.without_root = true,
		.ids = engine_tree_ids(&tree.container),
	};
	r = engine_stream_pack(engine, &stream, e);
	if (r == 0)
		r = engine_tree_check(engine, &tree, e);
	if (r == 0)
		engine_event_container(engine, &tree.container, "export", NULL);
	return r;
}
