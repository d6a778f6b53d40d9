#include "engine/userns_pool.h"

#include <stdlib.h>

#include "runtime/idmap.h"
#include "runtime/subid.h"

void userns_pool_use(struct runtime_subid_ranges *used, const struct oci_id_mappings *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		runtime_subid_add(used, maps->items[i].host_id, maps->items[i].size);
}

static int by_first(const void *a, const void *b)
{
	const struct runtime_subid_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Through the used ones from below: each that is in the way moves the place behind itself. */
static bool find_in(uint32_t *ret, const struct runtime_subid_range *range,
		    const struct runtime_subid_ranges *used, uint32_t size)
{
	uint64_t at = range->first;
	uint64_t end = at + range->count;

	for (size_t i = 0; i < used->count && at + size <= end; i++) {
		uint64_t first = used->items[i].first;
		uint64_t behind = first + used->items[i].count;
		if (first < at + size && behind > at)
			at = behind;
	}
	if (at + size > end)
		return false;
	*ret = (uint32_t)at;
	return true;
}

bool userns_pool_find(uint32_t *ret, const struct runtime_subid_ranges *pool,
		      struct runtime_subid_ranges *used, uint32_t size)
{
	if (used->count)
		qsort(used->items, used->count, sizeof(*used->items), by_first);
	for (size_t i = 0; i < pool->count; i++)
		if (find_in(ret, &pool->items[i], used, size))
			return true;
	return false;
}

static int by_container_id(const void *a, const void *b)
{
	const struct oci_id_mapping *x = a, *y = b;

	return x->container_id < y->container_id ? -1 : x->container_id > y->container_id;
}

void userns_pool_map(struct oci_id_mappings *to, uint32_t first, uint32_t size,
		     const struct oci_id_mappings *fixed)
{
	struct oci_id_mappings sorted = { 0 };
	uint32_t next = 0;

	for (size_t i = 0; i < fixed->count; i++)
		runtime_idmap_add(&sorted, fixed->items[i].container_id, fixed->items[i].host_id,
				  fixed->items[i].size);
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), by_container_id);
	for (size_t i = 0; i <= sorted.count; i++) {
		const struct oci_id_mapping *m = i < sorted.count ? &sorted.items[i] : NULL;
		uint32_t end = m && m->container_id < size ? m->container_id : size;
		if (next < end) {
			runtime_idmap_add(to, next, first, end - next);
			first += end - next;
		}
		if (m) {
			runtime_idmap_add(to, m->container_id, m->host_id, m->size);
			next = m->container_id + m->size > next ? m->container_id + m->size : next;
		}
	}
	free(sorted.items);
}
