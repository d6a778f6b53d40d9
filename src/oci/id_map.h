/* id_map.h - ids of a container and those of the host that stand for them, by the lines that
 * linux.uidMappings and gidMappings have (runtime-spec v1.3 config-linux.md). Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "oci/runtime_spec.h"

struct err;

/* Both directions of ids; no lines: they are the same on both sides. */
struct oci_id_map {
	struct oci_id_mappings uids;
	struct oci_id_mappings gids;
};

/* The host's id behind an id of the container; false: it has none. */
bool oci_id_map_to_host(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id);

/* And back. */
bool oci_id_map_to_container(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id);

/* For the owners of files. Who has no id in the container is its root to the host's, as the root
 * of a container would make it; and who has none of the host's, nobody (65534) to the container. */
void oci_id_map_owner_to_host(const struct oci_id_map *map, uid_t *uid, gid_t *gid);
void oci_id_map_owner_to_container(const struct oci_id_map *map, uid_t *uid, gid_t *gid);

/* For copy.h: context is such a map. Who has no line stays. */
void oci_id_map_shift_owner(const void *context, uid_t *uid, gid_t *gid);

/* "0:100000:65536": container's, host's, count; adds a line. ERR_INVALID. */
int oci_id_map_parse(struct oci_id_mappings *to, const char *text, struct err *e);
