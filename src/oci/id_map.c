#include "oci/id_map.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/strv.h"

enum { NOBODY = 65534, LINES_MAX = 340 };

bool oci_id_map_to_host(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_mapping *m = &maps->items[i];
		if (id >= m->container_id && id - m->container_id < m->size) {
			*ret = m->host_id + (id - m->container_id);
			return true;
		}
	}
	return false;
}

bool oci_id_map_to_container(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct oci_id_mapping *m = &maps->items[i];
		if (id >= m->host_id && id - m->host_id < m->size) {
			*ret = m->container_id + (id - m->host_id);
			return true;
		}
	}
	return false;
}

static void to_host(const struct oci_id_mappings *maps, uint32_t *id)
{
	if (maps->count && !oci_id_map_to_host(id, maps, *id))
		oci_id_map_to_host(id, maps, 0);
}

static void to_container(const struct oci_id_mappings *maps, uint32_t *id)
{
	if (maps->count && !oci_id_map_to_container(id, maps, *id))
		*id = NOBODY;
}

void oci_id_map_shift_owner(const void *context, uid_t *uid, gid_t *gid)
{
	const struct oci_id_map *map = context;

	oci_id_map_to_host(uid, &map->uids, *uid);
	oci_id_map_to_host(gid, &map->gids, *gid);
}

void oci_id_map_owner_to_host(const struct oci_id_map *map, uid_t *uid, gid_t *gid)
{
	to_host(&map->uids, uid);
	to_host(&map->gids, gid);
}

void oci_id_map_owner_to_container(const struct oci_id_map *map, uid_t *uid, gid_t *gid)
{
	to_container(&map->uids, uid);
	to_container(&map->gids, gid);
}

int oci_id_map_parse(struct oci_id_mappings *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	uint64_t number[3];

	strv_split(&parts, text, ':');
	if (parts.count != 3 || to->count == LINES_MAX)
		return err_set(e, ERR_INVALID, "'%s' is not CONTAINER:HOST:COUNT", text);
	for (size_t i = 0; i < parts.count; i++)
		if (number_parse_u64(&number[i], parts.items[i], UINT32_MAX, e) < 0)
			return -e->number;
	to->items = mem_resize(to->items, to->count + 1, sizeof(*to->items));
	to->items[to->count++] = (struct oci_id_mapping){
		(uint32_t)number[0],
		(uint32_t)number[1],
		(uint32_t)number[2],
	};
	return 0;
}
