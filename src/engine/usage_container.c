#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/tree.h"
#include "engine/usage.h"
#include "storage/layer.h"
#include "storage/tree.h"

/* The folder itself is there before anything is written. */
static uint64_t own_bytes(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0
								   : (uint64_t)st.st_blocks * 512;
}

static int open_copy(struct engine *engine, const struct container *c)
{
	own_free char *path = mem_format("%s/upper", c->id);

	return openat(engine->containers_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void engine_usage_container(struct engine *engine, const struct container *c, uint64_t *written,
			    uint64_t *all)
{
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };
	struct err ignored;

	*written = 0;
	/* of a root that is a copy it is all of that */
	own_fd int upper = c->storage.copied ? open_copy(engine, c)
					     : engine_tree_open_upper(engine, c, &ignored);
	if (upper >= 0) {
		storage_tree_add_at(&seen, upper, ".", written, &ignored);
		*written -= own_bytes(upper, ".");
	}
	*all = *written;
	for (size_t i = 0; i < c->image.layers.count; i++) {
		own_clear(layer_facts_clear) struct layer_facts layer = { 0 };
		if (storage_layer_facts(engine->store, c->image.layers.items[i], &layer,
					&ignored) == 0)
			*all += layer.size;
	}
}
