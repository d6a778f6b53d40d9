#include "engine/usage_frozen.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/lower.h"
#include "engine/record.h"
#include "engine/snapshot_file.h"
#include "engine/usage.h"

/* Record and snapshots of one container; what is removed meanwhile names nothing. */
static int list_layers(struct strv *to, struct engine *engine, const struct container *c,
		       struct err *e)
{
	own_clear(snapshots_clear) struct snapshots snapshots = { 0 };

	engine_lower_list_frozen(to, c);
	own_fd int folder = record_open(engine, c->id, e);
	int r = folder < 0 ? folder : snapshot_list(&snapshots, folder, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : err_add(e, "container %s", c->name);
	for (size_t i = 0; i < snapshots.count; i++)
		engine_lower_list_frozen(to, &snapshots.items[i].container);
	return 0;
}

static int by_name(const void *key, const void *item)
{
	const struct storage_part *part = item;

	return strcmp(key, part->name);
}

static struct storage_part *find_part(const struct storage_usage *store, const char *layer)
{
	own_free char *name = mem_format("layers/%s", layer);

	return store->parts.count ? bsearch(name, store->parts.items, store->parts.count,
					    sizeof(*store->parts.items), by_name)
				  : NULL;
}

/* Each part once, whatever the number of snapshots that name it. last[part]: 1 + the row that held
 * it last. */
static void count(struct engine_usage *usage, size_t *last, size_t row, const struct strv *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		const struct storage_part *part = find_part(&usage->store, layers->items[i]);
		size_t at = part ? (size_t)(part - usage->store.parts.items) : 0;
		if (!part || last[at] == row + 1)
			continue;
		usage->holders[at]++;
		last[at] = row + 1;
	}
}

int usage_frozen_read(struct engine *engine, struct engine_usage *usage, struct err *e)
{
	own_free size_t *last = mem_new(usage->store.parts.count + 1, sizeof(*last));
	int r = 0;

	usage->holders = mem_new(usage->store.parts.count + 1, sizeof(*usage->holders));
	usage->frozen_own = mem_new(usage->rows.count + 1, sizeof(*usage->frozen_own));
	for (size_t i = 0; r == 0 && i < usage->rows.count; i++) {
		own_clear(strv_clear) struct strv layers = { 0 };
		r = list_layers(&layers, engine, &usage->rows.items[i].container, e);
		count(usage, last, i, &layers);
	}
	for (size_t i = 0; i < usage->store.parts.count; i++) {
		if (usage->holders[i] == 0)
			continue;
		usage->frozen_bytes += usage->store.parts.items[i].bytes;
		if (usage->holders[i] == 1)
			usage->frozen_own[last[i] - 1] += usage->store.parts.items[i].bytes;
	}
	return r;
}
